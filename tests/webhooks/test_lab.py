"""POST /admin/webhooks/credentials: what the webhook lab needs to deliver as Polka does."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL

from tests.support.assertions import assert_error
from tests.support.credentials import KEYS
from tests.support.databases import POLKA_KEY, Sql, an_app
from tests.support.factories import a_user, an_event

PATH = "/admin/webhooks/credentials"
BODY = json.dumps(an_event("x", "invoice.paid", id="evt_1"))


@pytest.mark.parametrize(("key", "secrets"), [(POLKA_KEY, ()), (None, KEYS), (POLKA_KEY, KEYS)])
def test_lab_credentials_are_all_that_a_delivery_needs(
    database_url: URL, sql: Sql, key: Any, secrets: Any
) -> None:
    body = json.dumps(an_event(a_user(sql), id="evt_1"))
    with an_app(database_url, polka_key=key, polka_webhook_secrets=secrets) as app:
        client = app.test_client()
        headers = client.post(PATH, json={"id": "evt_1", "body": body}).get_json()
        delivered = client.post("/api/polka/webhooks", data=body, headers=headers)

    assert delivered.headers["Webhook-Outcome"] == "applied"
    assert len(headers) == bool(key) + 3 * bool(secrets)


@pytest.mark.parametrize(
    ("delivery", "field"),
    [({"body": BODY}, "id"), ({"id": "x"}, "body"), ({"id": "x", "body": "\0"}, "body")],
)
def test_lab_credentials_for_no_delivery_are_400(
    client: FlaskClient, delivery: dict[str, str], field: str
) -> None:
    response = client.post(PATH, json=delivery)

    assert list(assert_error(response, 400)["fields"]) == [field]


def test_lab_credentials_are_403_in_production(database_url: URL) -> None:
    with an_app(database_url, platform="prod") as app:
        response = app.test_client().post(PATH, json={"id": "evt_1", "body": BODY})

    assert POLKA_KEY not in str(assert_error(response, 403))
