"""Every exception becomes the same JSON: Flask's and Werkzeug's own, and unexpected ones."""

import pytest
from flask import Flask, abort
from werkzeug.exceptions import default_exceptions

from chirpy.web import errors
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


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"/abort/{status}", status) for status in sorted(default_exceptions)]
    + [("/raise/transient", 503), ("/raise/bug", 500)],
)
def test_every_exception_is_one_json(failing_app: Flask, path: str, status: int) -> None:
    response = failing_app.test_client().get(path)

    assert response.status_code == status
    assert response.content_type == "application/json"
    assert response.headers["X-Request-Id"]
    assert response.get_json()["error"]
    assert response.get_json().get("hint") or status >= 500
    assert response.get_json().keys() <= ERROR_KEYS
    assert "the cause" not in response.text
