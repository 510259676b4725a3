"""What a provider that signs its deliveries may rely on: Standard Webhooks 1.0.0."""

import base64
import hmac
import json
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import URL

from chirpy import create_app
from chirpy.database import db
from chirpy.settings import signing_key
from chirpy.webhooks import signature
from tests.databases import Sql, a_settings
from tests.factories import API_KEY, a_user, an_event

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
# The vector that the specification's own libraries test themselves with.
VECTOR = {
    "event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "signatures": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_BODY = b'{"test": 2432232314}'


def verify(
    changes: dict[str, str] | None = None, now: float = 1614265330, body: bytes = VECTOR_BODY
) -> None:
    headers = VECTOR | (changes or {})
    keys = [signing_key(NEXT_SECRET), signing_key(SECRET)]
    signature.verify(**headers, body=body, keys=keys, now=now)


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers that prove `body`."""
    timestamp = str(int(time.time() if at is None else at))
    content = b".".join((b"msg_1", timestamp.encode(), body))
    made = base64.b64encode(hmac.digest(signing_key(secret), content, "sha256")).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{made}",
    }


@pytest.fixture
def signing_app(database_url: URL, emptied: None) -> Iterator[Flask]:
    """An application that wants both proofs."""
    keys = (signing_key(SECRET), signing_key(NEXT_SECRET))
    app = create_app(a_settings(database_url, polka_webhook_secrets=keys))
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_published_vector_holds() -> None:
    verify()


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_delivery_may_be_five_minutes_late_or_early(seconds: int) -> None:
    verify(now=1614265330 + seconds)


def test_any_one_of_several_signatures_may_match() -> None:
    verify({"signatures": f"v1,{'A' * 43}= v1a,ed25519 {VECTOR['signatures']}"})


REFUSED: dict[str, dict[str, str]] = {
    "another id": {"event_id": "msg_2"},
    "another time": {"timestamp": "1614265331"},
    "another signature": {"signatures": f"v1,{'A' * 43}="},
    "another version": {"signatures": VECTOR["signatures"].replace("v1", "v2")},
    "no signature": {"signatures": ""},
    "no version": {"signatures": VECTOR["signatures"].removeprefix("v1,")},
    "not base64": {"signatures": "v1,g0hM9SsE+OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    "not ASCII": {"signatures": "v1,ü"},
    "too many": {"signatures": " ".join([VECTOR["signatures"]] * 9)},
    "no time": {"timestamp": ""},
    "time with underscores": {"timestamp": "1_614_265_330"},
    "time with a fraction": {"timestamp": "1614265330.0"},
    "time with a sign": {"timestamp": "+1614265330"},
    "time in other digits": {"timestamp": "١٦١٤٢٦٥٣٣٠"},
    "time without end": {"timestamp": "9" * 5000},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_what_does_not_match_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(signature.InvalidSignature):
        verify(changes)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_replay_is_too_late(seconds: int) -> None:
    with pytest.raises(signature.InvalidSignature):
        verify(now=1614265330 + seconds)


def test_a_single_changed_byte_is_noticed() -> None:
    with pytest.raises(signature.InvalidSignature):
        verify(body=VECTOR_BODY.replace(b" ", b""))


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
def test_either_key_may_sign_while_one_is_rolled(signing_app: Flask, sql: Sql, secret: str) -> None:
    body = json.dumps(an_event(a_user(sql))).encode()

    answer = signing_app.test_client().post(
        "/api/polka/webhooks", data=body, headers=signed(body, secret) | API_KEY
    )

    assert answer.status_code == 204
    assert sql("SELECT event_id, outcome FROM webhook_events") == [("msg_1", "applied")]


def test_every_proof_that_is_configured_must_hold(signing_app: Flask, sql: Sql) -> None:
    body = json.dumps(an_event(a_user(sql))).encode()
    late = signed(body, at=time.time() - 301)

    answers = [
        signing_app.test_client().post("/api/polka/webhooks", data=body, headers=headers)
        for headers in (API_KEY, signed(body), late | API_KEY, signed(body + b" ") | API_KEY)
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.data for answer in answers}) == 1
    assert sql("SELECT count(*) FROM webhook_events") == [(0,)]
