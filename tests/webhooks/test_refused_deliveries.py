"""What holds of every delivery that is refused: it is told why, and it changed nothing.

Our own trouble is in tests/test_trouble.py; what a real server cuts off, in tests/test_serving.py.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL, event
from werkzeug.test import TestResponse

from chirpy.database.engine import db
from tests.support.assertions import assert_error, database_unchanged
from tests.support.credentials import (
    KEYS,
    WRONG_KEYS,
    WRONG_SIGNATURES,
    WRONG_TOGETHER,
    Forge,
    right_key,
    signed,
    together,
)
from tests.support.databases import Sql, an_app
from tests.support.deliveries import (
    AFTER_CREDENTIALS,
    BEFORE_CREDENTIALS,
    KNOWN,
    KNOWN_USER,
    OTHER_USER,
    PATH,
    Delivery,
)
from tests.support.factories import API_KEY, an_email

WANTED: dict[str, dict[str, Any]] = {
    "a key": {},
    "a signature": {"polka_key": None, "polka_webhook_secrets": KEYS},
    "both": {"polka_webhook_secrets": KEYS},
}
PROOFS = {"a key": right_key, "a signature": signed, "both": together(right_key, signed)}
FORGERIES = {"a key": WRONG_KEYS, "a signature": WRONG_SIGNATURES, "both": WRONG_TOGETHER}


@pytest.fixture(scope="module")
def receivers(database_url: URL, connection: Any) -> Iterator[dict[str, Flask]]:
    """Receivers of deliveries, each wants other proofs; their one database is in use already.

    No test here changes it, so it is filled once for all of them.
    """
    with ExitStack() as stack, connection.cursor() as cursor:
        apps = {name: stack.enter_context(an_app(database_url, **WANTED[name])) for name in WANTED}
        for user_id in (KNOWN_USER, OTHER_USER):
            new_user = (str(user_id), an_email())
            cursor.execute("INSERT INTO users (id, email) VALUES (%s, %s)", new_user)
        for known in KNOWN * 2:
            taken = apps["a key"].test_client().post(PATH, json=known, headers=API_KEY)
            assert taken.status_code == 204
        yield apps
        cursor.execute("TRUNCATE users, webhook_events CASCADE")


@pytest.fixture
def emptied_database() -> None:
    """Nothing: what is there is for all of them."""


@pytest.fixture
def client(receivers: dict[str, Flask]) -> FlaskClient:
    return receivers["a key"].test_client()


@pytest.mark.parametrize(
    "delivery",
    [
        pytest.param(delivery, id=name)
        for name, delivery in (BEFORE_CREDENTIALS | AFTER_CREDENTIALS).items()
    ],
)
def test_a_delivery_that_is_refused_changes_nothing(
    client: FlaskClient, sql: Sql, delivery: Delivery
) -> None:
    with database_unchanged(sql):
        answer = delivery.send(client, API_KEY)

    said = assert_error(answer, delivery.status)
    assert tuple(said.get("fields", ())) == delivery.fields


# Strangers

LEARNED_NOTHING = (
    401,
    {
        "Content-Type": "application/json",
        "Content-Length": "129",
        "WWW-Authenticate": 'ApiKey realm="polka"',
    },
    b"""{"error":"Authentication failed","hint":"Send `Authorization: \
ApiKey <key>` (not Bearer), and the signature if one is required"}\n""",
)


def learned(answer: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """All that an answer tells, save the id of the request."""
    assert answer.headers["X-Request-Id"]
    headers = {name: value for name, value in answer.headers if name != "X-Request-Id"}
    assert len(headers) + 1 == len(answer.headers)
    return answer.status_code, headers, answer.data


@contextmanager
def no_connection_taken(app: Flask) -> Iterator[None]:
    """Check that meanwhile `app` asks its pool for nothing."""
    with app.app_context():
        engine = db.engine
    taken: list[object] = []

    def note(connection: object, *_: object) -> None:
        taken.append(connection)

    event.listen(engine, "checkout", note)
    try:
        yield
    finally:
        event.remove(engine, "checkout", note)
    assert taken == []


# Each forgery meets a good event and a quarter of all bodies, its neighbour the next quarter: the
# body is not looked at before the proof, and all with all would be a tenth of the suite.
BODIES = list(AFTER_CREDENTIALS.items())
QUARTERS = [{"a good event": Delivery(204)} | dict(BODIES[first::4]) for first in range(4)]

every_forgery = pytest.mark.parametrize(
    ("wanted", "forge", "deliveries"),
    [
        pytest.param(wanted, forge, quarter, id=f"{name}, where {wanted} is wanted")
        for wanted, forgeries in FORGERIES.items()
        for (name, forge), quarter in zip(forgeries.items(), cycle(QUARTERS), strict=False)
    ],
)


@every_forgery
def test_a_stranger_learns_nothing_and_writes_nothing_whatever_the_body(
    receivers: dict[str, Flask],
    sql: Sql,
    wanted: str,
    forge: Forge,
    deliveries: dict[str, Delivery],
) -> None:
    client = receivers[wanted].test_client()

    with database_unchanged(sql), no_connection_taken(receivers[wanted]):
        answers = {
            name: delivery.send(client, forge(delivery.body))
            for name, delivery in deliveries.items()
        }

    for name, answer in answers.items():
        assert learned(answer) == LEARNED_NOTHING, name


@pytest.mark.parametrize("wanted", WANTED)
def test_what_is_refused_before_credentials_are_looked_at_tells_all_the_same(
    receivers: dict[str, Flask], sql: Sql, wanted: str
) -> None:
    client = receivers[wanted].test_client()
    proofs = (PROOFS[wanted], *FORGERIES[wanted].values())

    with database_unchanged(sql), no_connection_taken(receivers[wanted]):
        for name, delivery in BEFORE_CREDENTIALS.items():
            polka, *strangers = [
                learned(delivery.send(client, prove(delivery.body))) for prove in proofs
            ]
            assert strangers == [polka] * len(strangers), name


@pytest.mark.parametrize("wanted", WANTED)
def test_whoever_proves_to_be_polka_is_told_what_is_wrong(
    receivers: dict[str, Flask], wanted: str
) -> None:
    answer = Delivery(400, b"{}").send(receivers[wanted].test_client(), PROOFS[wanted](b"{}"))

    assert list(assert_error(answer, 400)["fields"]) == ["event"]
