"""Signatures of Standard Webhooks 1.0.0, compared with the specification's Python library.

Signatures that are refused are in tests/support/credentials.py.
"""

import hmac
import json
import time
from base64 import b64encode
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from flask import Request
from hypothesis import given, settings, strategies as st
from sqlalchemy import URL
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.test import EnvironBuilder

from chirpy.settings.parsers import parse_signing_key
from chirpy.web.refused import Refused
from chirpy.webhooks import credentials, signature
from tests.support.credentials import KEYS, NEXT_SECRET, SECRET, signed
from tests.support.databases import Sql, an_app
from tests.support.deliveries import PATH
from tests.support.factories import a_user, an_event

# The test vector of the specification's libraries.
VECTOR = {
    "event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "signatures": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_BODY = b'{"test": 2432232314}'
ACCEPTED, REFUSED, CRASHED = "accepted", "refused", "crashed"


def verify_vector(signatures: str = VECTOR["signatures"], now: float = 1614265330) -> None:
    headers = VECTOR | {"signatures": signatures}
    signature.verify(**headers, body=VECTOR_BODY, keys=KEYS, now=now)


@pytest.mark.parametrize("seconds", [-301, -300, 0, 300, 301])
def test_published_vector_is_accepted_up_to_5_minutes_late_or_early(seconds: int) -> None:
    refused = pytest.raises(signature.InvalidSignature)

    with refused if abs(seconds) > 300 else nullcontext():
        verify_vector(now=1614265330 + seconds)


def test_one_of_several_signatures_is_enough() -> None:
    verify_vector(f"v1,{'A' * 43}= v1a,ed25519 {VECTOR['signatures']}")


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
def test_delivery_signed_with_either_key_of_a_rotation_is_accepted(
    database_url: URL, sql: Sql, secret: str
) -> None:
    body = json.dumps(an_event(a_user(sql))).encode()

    with an_app(database_url, polka_key=None, polka_webhook_secrets=KEYS) as app:
        response = app.test_client().post(PATH, data=body, headers=signed(body, secret))

    assert response.status_code == 204
    assert sql("SELECT event_id, outcome FROM webhook_events") == [("msg_1", "applied")]


def test_credentials_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compare, pairs = hmac.compare_digest, list[set[bytes]]()

    def recording(*pair: bytes) -> bool:
        pairs.append(set(pair))
        return compare(*pair)

    monkeypatch.setattr(hmac, "compare_digest", recording)

    credentials.verify_api_key(Request({"HTTP_AUTHORIZATION": "ApiKey x"}), "x")
    verify_vector(f"{VECTOR['signatures']} v1,AAAA")

    # One key; two signatures with two keys, also after the pair that matches.
    assert list(map(len, pairs)) == [1, 2, 2, 1, 2]


# Compared with the package standardwebhooks


class Delivery(NamedTuple):
    """Three headers and a body."""

    id: str
    timestamp: str
    signatures: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {
            "webhook-id": self.id,
            "webhook-timestamp": self.timestamp,
            "webhook-signature": self.signatures,
        }


def signed_by_library(event_id: str, body: bytes, seconds: int) -> Delivery:
    """Return a delivery that the library signed, sent `seconds` from now."""
    at = int(time.time()) + seconds
    made = Webhook(SECRET).sign(event_id, datetime.fromtimestamp(at, UTC), body.decode())
    return Delivery(event_id, str(at), made, body)


def signed_by_chirpy(event_id: str = "msg_1", body: bytes = b"{}") -> Delivery:
    """Return a delivery that Chirpy signed now."""
    now, key = str(int(time.time())), parse_signing_key(SECRET)
    made = signature.sign(event_id=event_id, timestamp=now, body=body, key=key)
    return Delivery(event_id, now, made, body)


def verdict_of_library(delivery: Delivery) -> str:
    """Verify with the library. An exception other than its own counts as a crash."""
    try:
        Webhook(SECRET).verify(delivery.body, delivery.headers, json_parse=False)
    except WebhookVerificationError:
        return REFUSED
    except Exception:  # noqa: BLE001 - malformed headers raise many types
        return CRASHED
    return ACCEPTED


def verdict_of_chirpy(delivery: Delivery) -> str:
    """Verify with Chirpy."""
    environ = EnvironBuilder(headers=[*delivery.headers.items()]).get_environ()
    try:
        credentials.verify_signature(Request(environ), delivery.body, KEYS)
    except Refused:
        return REFUSED
    return ACCEPTED


id_characters = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=".")
ids = st.text(id_characters, min_size=1, max_size=255)
bodies = st.text(st.characters(codec="utf-8")).map(str.encode)
# Seconds from now. The limit is 300; the test itself takes some.
offsets = st.integers(-290, 290) | st.integers(310, 10**9) | st.integers(-(10**9), -310)
digests = st.binary(min_size=32, max_size=32).map(lambda digest: b64encode(digest).decode())
other_signatures = st.builds(
    "{},{}".format, st.sampled_from(["v1", "v1a", "v2", "V1", ""]), digests
)


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Return a delivery signed by the library, with other signatures before and after its own."""
    delivery = signed_by_library(draw(ids), draw(bodies), draw(offsets))
    listed = draw(st.lists(other_signatures, max_size=signature.MAX_SIGNATURES - 1))
    listed.insert(draw(st.integers(0, len(listed))), delivery.signatures)
    return delivery._replace(signatures=" ".join(listed))


@settings(max_examples=50)
@given(ids, bodies)
def test_delivery_signed_by_chirpy_is_accepted_by_the_library(event_id: str, body: bytes) -> None:
    assert verdict_of_library(signed_by_chirpy(event_id, body)) == ACCEPTED


@settings(max_examples=100)
@given(deliveries())
def test_delivery_with_well_formed_headers_gets_the_verdict_of_the_library(
    delivery: Delivery,
) -> None:
    assert verdict_of_chirpy(delivery) == verdict_of_library(delivery)


@settings(max_examples=100)
@given(deliveries(), st.sampled_from(["id", "timestamp", "signatures"]), st.data())
def test_delivery_with_an_edited_header_that_the_library_refuses_is_refused(
    delivery: Delivery, name: str, data: st.DataObject
) -> None:
    header = getattr(delivery, name)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(header))] * 2)))
    inserted = data.draw(st.text("01_+-. ,=vaA!é\u0661", max_size=3))
    edited = delivery._replace(**{name: header[:start] + inserted + header[end:]})

    assert verdict_of_chirpy(edited) == REFUSED or verdict_of_library(edited) != REFUSED


CRASHES = {
    "after a signature of unknown form": ("sha256=0 ", b"{}"),
    "after two spaces": ("v2,AA==  ", b"{}"),
    "of a body that is not UTF-8": ("", b"\xff"),
}


@pytest.mark.parametrize(("before", "body"), CRASHES.values(), ids=CRASHES)
def test_valid_signature_that_crashes_the_library_is_accepted(before: str, body: bytes) -> None:
    delivery = signed_by_chirpy(body=body)
    delivery = delivery._replace(signatures=before + delivery.signatures)

    assert (verdict_of_library(delivery), verdict_of_chirpy(delivery)) == (CRASHED, ACCEPTED)
