"""The application's log of refused deliveries: one line with the reason, and no secrets."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL

from chirpy.settings.database_url import DRIVER
from tests.support.credentials import KEYS, SECRET, signed
from tests.support.databases import POLKA_KEY, Sql, an_app
from tests.support.deliveries import KNOWN_USER, PATH
from tests.support.factories import API_KEY, a_user, an_event, an_id

GUESS = "guessed-by-a-stranger"
PRIVATE = "between-polka-and-us"  # in each body
NO_SERVER = URL.create(DRIVER, username="chirpy", host="127.0.0.1", port=1)
REQUEST_FIELDS = ["method", "path", "status", "milliseconds", "reason", "request_id"]
FIELDS = ["time", "level", "logger", "message", *REQUEST_FIELDS]


@pytest.fixture
def signing_client(database_url: URL, emptied_database: None) -> Iterator[FlaskClient]:
    """Yield a client of an application that requires both credentials."""
    with an_app(database_url, polka_webhook_secrets=KEYS) as app:
        yield app.test_client()


def private_body(event: dict[str, Any]) -> bytes:
    return json.dumps({"private": PRIVATE} | event).encode()


UPGRADE = private_body(an_event(KNOWN_USER))


def deliver_refused(
    client: FlaskClient, log: StringIO, body: bytes, **changes: str
) -> tuple[int, str, str]:
    """Deliver with valid credentials, changed by the headers in `changes`.

    Return the status, the reason in the last line of the log, and the text of the response.
    """
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = API_KEY | signed(body) | changed
    response = client.post(PATH, data=body, headers=headers)
    line = json.loads(log.getvalue().splitlines()[-1])
    assert list(line) == FIELDS
    assert (line["level"], line["method"], line["path"]) == ("WARNING", "POST", PATH)
    assert line["status"] == response.status_code
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert_no_secret(headers, log.getvalue(), response.text, str(response.headers))
    assert PRIVATE not in log.getvalue() + response.text
    return response.status_code, line["reason"], f"{response.headers}{response.text}"


def assert_no_secret(headers: dict[str, str], *texts: str) -> None:
    """Assert that no text contains a secret or one of the signatures in `headers`."""
    signatures = headers["webhook-signature"].replace("v1,", "").split()
    secrets = [POLKA_KEY, SECRET, SECRET.removeprefix("whsec_"), GUESS, *signatures]
    for text in texts:
        assert not any(secret in text for secret in secrets)


def test_accepted_deliveries_log_nothing(client: FlaskClient, sql: Sql, log: StringIO) -> None:
    upgrade = an_event(a_user(sql), id=an_id())

    for event in (upgrade, upgrade, {"event": "invoice.paid"}):
        assert client.post(PATH, json=event, headers=API_KEY).status_code == 204

    assert log.getvalue() == ""


def test_accepted_delivery_stores_and_returns_no_credentials(
    signing_client: FlaskClient, sql: Sql
) -> None:
    body = private_body(an_event(a_user(sql)))
    headers = API_KEY | signed(body)

    response = signing_client.post(PATH, data=body, headers=headers)

    assert response.status_code == 204
    [[rows]] = sql("SELECT concat(e::text, m::text) FROM webhook_events e, memberships m")
    entry = signing_client.get("/admin/webhooks")
    assert_no_secret(headers, rows, entry.text, str(response.headers), str(entry.headers))


WRONG_CREDENTIALS = [
    ("Authorization", "", "no ApiKey"),
    ("Authorization", f"Bearer {GUESS}", "no ApiKey"),
    ("Authorization", f"ApiKey {GUESS}", "wrong ApiKey"),
    ("webhook_id", "", "webhook-id is missing or malformed"),
    ("webhook_timestamp", "", "webhook-timestamp is missing or malformed"),
    ("webhook_timestamp", "1614265330", "webhook-timestamp is more than 5 minutes off"),
    ("webhook_signature", "", "no signature matches"),
    ("webhook_signature", f"v1,{GUESS}", "a signature is not base64"),
    ("webhook_signature", f"v1,{GUESS} " * 9, "too many signatures"),
]


NOT_JSON = "The request body is not valid JSON"
WRONG_USER = private_body(an_event(PRIVATE))
OTHER_ID = private_body(an_event(KNOWN_USER, id=PRIVATE))
TOO_LARGE = private_body({}).ljust(65537)
REFUSED = [
    *((401, reason, UPGRADE, {name: value}) for name, value, reason in WRONG_CREDENTIALS),
    (400, NOT_JSON, private_body({}) + b"}", {}),
    (400, NOT_JSON, b'\n{"level":"ERROR"}\n{', {}),
    (400, f"`data.user_id` must be a UUID such as {KNOWN_USER}", WRONG_USER, {}),
    (400, "`id` differs from the header webhook-id", OTHER_ID, {}),
    (404, "There is no user with this id", UPGRADE, {}),
    (413, "The request body is larger than 65536 bytes", TOO_LARGE, {}),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]} {case[1]}")
def test_refused_delivery_is_one_line_of_the_log_without_secrets_and_no_reason_with_a_401(
    signing_client: FlaskClient, log: StringIO, case: tuple[int, str, bytes, dict[str, str]]
) -> None:
    status, reason, body, headers = case
    *logged, response = deliver_refused(signing_client, log, body, **headers)

    assert logged == [status, reason]
    assert log.getvalue().count("\n") == 1
    assert status != 401 or reason not in response


def test_reused_event_id_is_in_the_log(client: FlaskClient, sql: Sql, log: StringIO) -> None:
    upgrade = an_event(a_user(sql), id="msg_1")
    client.post(PATH, json=upgrade, headers=API_KEY)

    *logged, _ = deliver_refused(client, log, private_body(upgrade | {"event": "x"}))

    assert logged == [409, "Another event with this id was received before"]


def test_unreachable_database_is_in_the_log_with_its_cause(log: StringIO) -> None:
    with an_app(NO_SERVER, polka_webhook_secrets=KEYS) as app:
        *logged, response = deliver_refused(app.test_client(), log, UPGRADE)

    cause = json.loads(log.getvalue().splitlines()[0])
    assert logged == [503, "The database is not available right now"]
    assert cause["message"] == "Database unavailable"
    assert "Connection refused" in cause["cause"]
    assert "Connection refused" not in response
    assert cause["request_id"] in response
