"""The API reference describes every route, and nothing else."""

import re
import tomllib
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chirpy import OPERATIONS
from tests.support.server import PROJECT

STATUS = re.compile(r"\b[2-5]\d\d\b")


@pytest.fixture(scope="module")
def document(session_app: Flask) -> Any:
    return session_app.test_client().get("/openapi.json").get_json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """Return the operations of the document by their method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_reference_has_every_route_and_no_other(session_app: Flask, document: Any) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in session_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert operations(document).keys() == routes
    assert OPERATIONS.keys() == set(session_app.view_functions.values())


def test_reference_names_the_version_of_the_project(document: Any) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    assert document["info"]["version"] == project["version"]


def test_reference_has_every_status_that_a_docstring_names(
    session_app: Flask, document: Any
) -> None:
    described = {each["operationId"]: each["responses"] for each in operations(document).values()}

    for endpoint, view in session_app.view_functions.items():
        named = STATUS.findall(view.__doc__ or "")
        assert set(named) <= described[endpoint.split(".")[1]].keys(), endpoint


def test_every_error_has_both_forms_and_a_named_example(document: Any) -> None:
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if status >= "400" and status != "431":  # granian answers that, without a body
                forms = response["content"]
                assert forms.keys() == {"application/json", "application/problem+json"}
                assert forms["application/json"]["examples"]


def test_examples_of_requests_are_accepted() -> None:
    for operation in OPERATIONS.values():
        assert bool(operation.body) == bool(operation.bodies)
        for example in operation.bodies.values():
            assert operation.body
            operation.body.load(example)


def test_webhook_has_its_examples_credentials_and_headers(document: Any) -> None:
    webhook = document["paths"]["/api/polka/webhooks"]["post"]
    answers = webhook["responses"]
    outcomes = answers["204"]["headers"]["Webhook-Outcome"]["schema"]["enum"]

    requests = webhook["requestBody"]["content"]["application/json"]["examples"]
    assert {"upgraded", "downgraded", "ignored"} <= requests.keys()
    assert "wrong key" in answers["401"]["content"]["application/json"]["examples"]
    assert sorted(outcomes) == ["applied", "duplicate", "ignored", "stale"]
    assert {name for each in webhook["security"] for name in each} == {
        "polkaKey",
        "webhookSignature",
    }
    assert [each["name"] for each in webhook["parameters"]] == ["webhook-id", "webhook-timestamp"]


def test_reference_page_is_served_with_the_files_of_swagger_ui(client: FlaskClient) -> None:
    page = client.get("/docs", buffered=True).text

    for path in re.findall(r'(?:src|href)="(/(?:docs|static)/[^"]+)"', page):
        assert client.get(path, buffered=True).status_code == 200, path
    assert client.get("/docs/nothing.js").status_code == 404
