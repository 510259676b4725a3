"""Every exception becomes the same JSON, or problem details (RFC 9457) for those who ask."""

import pytest
from flask import Flask, abort
from werkzeug.exceptions import default_exceptions

from chirpy.web import errors
from chirpy.web.problems import JSON, PROBLEM
from tests.support.assertions import ERROR_KEYS


@pytest.fixture(scope="module")
def failing_app() -> Flask:
    """Provide an application whose only route fails as the path says."""
    app = Flask(__name__)
    errors.register(
        app, lambda error: isinstance(error, TimeoutError), lambda _: False, lambda _: None
    )

    @app.get("/abort/<int:status>")
    def abort_with(status: int) -> str:
        abort(status)

    @app.get("/raise/<kind>")
    def raise_error(kind: str) -> str:
        raise TimeoutError if kind == "transient" else ZeroDivisionError("the cause")

    return app


every_error = pytest.mark.parametrize(
    ("path", "status"),
    [(f"/abort/{status}", status) for status in sorted(default_exceptions)]
    + [("/raise/transient", 503), ("/raise/bug", 500)],
)


@every_error
def test_every_exception_is_one_json(failing_app: Flask, path: str, status: int) -> None:
    response = failing_app.test_client().get(path)

    assert response.status_code == status
    assert response.content_type == "application/json"
    assert response.headers["X-Request-Id"]
    assert response.headers["Vary"] == "Accept"
    assert response.get_json()["error"]
    assert response.get_json().get("hint") or status >= 500
    assert response.get_json().keys() <= ERROR_KEYS
    assert "the cause" not in response.text


@every_error
def test_every_exception_is_problem_details_on_request(
    failing_app: Flask, path: str, status: int
) -> None:
    client = failing_app.test_client()
    default, response = client.get(path), client.get(path, headers={"Accept": PROBLEM})

    body = response.get_json()
    assert response.status_code == body.pop("status") == status
    assert (response.content_type, response.headers["Vary"]) == (PROBLEM, "Accept")
    assert body.pop("type") == "about:blank"
    assert body.pop("title").upper() == response.status.partition(" ")[2]
    assert {"error": body.pop("detail")} | body == default.get_json()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, nonsense;q=x", JSON),
        (JSON, JSON),
        (f"{PROBLEM};q=0", JSON),
        (f"{PROBLEM};q=0.5, */*", JSON),
        (f"{PROBLEM};q=0.5, {JSON};q=0.8", JSON),
        (PROBLEM, PROBLEM),
        ("Application/Problem+JSON; charset=utf-8", PROBLEM),
        (f"{JSON}, {PROBLEM}", PROBLEM),
        (f"{JSON};q=0.5, {PROBLEM};q=0.8", PROBLEM),
        (f"*/*;q=0.1, {PROBLEM};q=0.2", PROBLEM),
        (f"{PROBLEM};q=0.1, text/html", PROBLEM),
        (f"{PROBLEM}, {JSON};q=0, */*", PROBLEM),
    ],
)
def test_header_accept_decides_the_form_of_errors(
    failing_app: Flask, accept: str | None, content_type: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}

    response = failing_app.test_client().get("/nowhere", headers=headers)

    assert response.content_type == content_type
