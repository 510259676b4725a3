"""What a provider that signs its deliveries may rely on: Standard Webhooks 1.0.0.

Signatures that prove nothing are in tests/support/credentials.py.
"""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import URL

from chirpy.webhooks import signature
from tests.support.credentials import KEYS, NEXT_SECRET, SECRET, signed
from tests.support.databases import Sql, an_app
from tests.support.factories import API_KEY, a_user, an_event

# The vector that the specification's own libraries test themselves with.
VECTOR = {
    "event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "signatures": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_BODY = b'{"test": 2432232314}'


def verify(signatures: str = VECTOR["signatures"], now: float = 1614265330) -> None:
    headers = VECTOR | {"signatures": signatures}
    signature.verify(**headers, body=VECTOR_BODY, keys=KEYS, now=now)


@pytest.fixture
def signing_app(database_url: URL, emptied_database: None) -> Iterator[Flask]:
    """An application that wants both proofs."""
    with an_app(database_url, polka_webhook_secrets=KEYS) as app:
        yield app


def test_the_published_vector_holds() -> None:
    verify()


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_delivery_may_be_five_minutes_late_or_early(seconds: int) -> None:
    verify(now=1614265330 + seconds)


def test_any_one_of_several_signatures_may_match() -> None:
    verify(f"v1,{'A' * 43}= v1a,ed25519 {VECTOR['signatures']}")


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_replay_is_too_late(seconds: int) -> None:
    with pytest.raises(signature.InvalidSignature):
        verify(now=1614265330 + seconds)


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
def test_either_key_may_sign_while_one_is_rolled(signing_app: Flask, sql: Sql, secret: str) -> None:
    body = json.dumps(an_event(a_user(sql))).encode()

    answer = signing_app.test_client().post(
        "/api/polka/webhooks", data=body, headers=signed(body, secret) | API_KEY
    )

    assert answer.status_code == 204
    assert sql("SELECT event_id, outcome FROM webhook_events") == [("msg_1", "applied")]
