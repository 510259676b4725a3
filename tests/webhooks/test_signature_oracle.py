"""Where Chirpy and the specification's own Python library agree on a signature, and where not.

`standardwebhooks` lets malformed headers escape as whatever they raise; that counts as a crash.
"""

import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from flask import Request
from hypothesis import given, settings, strategies as st
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.test import EnvironBuilder

from chirpy.settings import parse_signing_key
from chirpy.web.refused import Refused
from chirpy.webhooks import credentials, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = parse_signing_key(SECRET)
ACCEPTED, REFUSED, CRASHED = "accepted", "refused", "crashed"


@dataclass(frozen=True)
class Delivery:
    """What arrives: three headers and a body."""

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


def signed(
    event_id: str = "msg_1", body: bytes = b"{}", at: int | None = None, secret: str = SECRET
) -> Delivery:
    """A delivery as the oracle signs it, now or `at` some second."""
    seconds = int(time.time()) if at is None else at
    made = Webhook(secret).sign(event_id, datetime.fromtimestamp(seconds, UTC), body.decode())
    return Delivery(event_id, str(seconds), made, body)


def theirs(delivery: Delivery, secret: str = SECRET) -> str:
    """What the oracle says of a delivery."""
    try:
        Webhook(secret).verify(delivery.body, delivery.headers, json_parse=False)
    except WebhookVerificationError:
        return REFUSED
    except Exception:  # noqa: BLE001 - whatever it lets escape
        return CRASHED
    return ACCEPTED


def ours(delivery: Delivery, secret: str = SECRET) -> str:
    """What Chirpy says of the same one."""
    environ = EnvironBuilder(headers=[*delivery.headers.items()]).get_environ()
    try:
        credentials.verify_signature(Request(environ), delivery.body, (parse_signing_key(secret),))
    except Refused:
        return REFUSED
    return ACCEPTED


# What a delivery with well-formed headers is made of.
secrets = st.binary(min_size=24, max_size=64).map(lambda key: f"whsec_{b64encode(key).decode()}")
id_signs = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=".")
ids = st.text(id_signs, min_size=1, max_size=255)
bodies = st.text(st.characters(codec="utf-8")).map(str.encode)
# Seconds from now; five minutes are the limit, which would pass while a test runs.
offsets = st.integers(-290, 290) | st.integers(310, 10**9) | st.integers(-(10**9), -310)
digests = st.binary(min_size=32, max_size=32).map(lambda made: b64encode(made).decode())
others = st.builds("{},{}".format, st.sampled_from(["v1", "v1a", "v2", "V1", ""]), digests)


def nothing(_: st.DrawFn, delivery: Delivery) -> Delivery:
    return delivery


def another_id(draw: st.DrawFn, delivery: Delivery) -> Delivery:
    return replace(delivery, id=draw(ids))


def another_second(draw: st.DrawFn, delivery: Delivery) -> Delivery:
    moved = int(delivery.timestamp) + draw(st.sampled_from([-1, 1]))
    return replace(delivery, timestamp=str(moved))


def another_body(draw: st.DrawFn, delivery: Delivery) -> Delivery:
    text = delivery.body.decode()
    place = draw(st.integers(0, len(text)))
    return replace(delivery, body=f"{text[:place]}x{text[place + 1 :]}".encode())


def another_signature(draw: st.DrawFn, delivery: Delivery) -> Delivery:
    return replace(delivery, signatures=draw(others))


CHANGES: list[Callable[[st.DrawFn, Delivery], Delivery]] = [
    nothing,
    another_id,
    another_second,
    another_body,
    another_signature,
]


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Signed by the oracle, alone or among other signatures; then perhaps changed a little."""
    delivery = signed(draw(ids), draw(bodies), int(time.time()) + draw(offsets))
    listed = draw(st.lists(others, max_size=signature.MAX_SIGNATURES - 1))
    listed.insert(draw(st.integers(0, len(listed))), delivery.signatures)
    return draw(st.sampled_from(CHANGES))(draw, replace(delivery, signatures=" ".join(listed)))


@settings(max_examples=100)
@given(secrets, ids, bodies, st.integers(-290, 290))
def test_what_the_oracle_signs_is_accepted(
    secret: str, event_id: str, body: bytes, offset: int
) -> None:
    delivery = signed(event_id, body, int(time.time()) + offset, secret)

    assert (theirs(delivery, secret), ours(delivery, secret)) == (ACCEPTED, ACCEPTED)


@settings(max_examples=100)
@given(ids, bodies)
def test_what_chirpy_signs_the_oracle_accepts(event_id: str, body: bytes) -> None:
    now = str(int(time.time()))
    made = signature.sign(event_id=event_id, timestamp=now, body=body, key=KEY)

    assert theirs(Delivery(event_id, now, made, body)) == ACCEPTED


@settings(max_examples=100)
@given(deliveries())
def test_of_well_formed_headers_both_say_the_same(delivery: Delivery) -> None:
    assert ours(delivery) == theirs(delivery)


@settings(max_examples=100)
@given(deliveries(), st.sampled_from(["id", "timestamp", "signatures"]), st.data())
def test_whatever_is_done_to_a_header_what_the_oracle_refuses_is_refused(
    delivery: Delivery, name: str, data: st.DataObject
) -> None:
    header = getattr(delivery, name)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(header))] * 2)))
    put = data.draw(st.text("01_+-. ,=vaA!é\u0661", max_size=3))
    changed = replace(delivery, **{name: header[:start] + put + header[end:]})

    assert ours(changed) == REFUSED or theirs(changed) != REFUSED


def with_signatures(write: Callable[[str], str]) -> Delivery:
    delivery = signed()
    return replace(delivery, signatures=write(delivery.signatures))


def parted_elsewhere() -> Delivery:
    """The same bytes in other headers: what was the time becomes the end of the id."""
    now = int(time.time())
    delivery = signed(body=f"{now}.{{}}".encode(), at=now)
    return replace(delivery, id=f"{delivery.id}.{now}", body=b"{}")


def ending_in_arabic(number: int) -> str:
    return f"{number // 10}{chr(0x660 + number % 10)}"


TIMES: dict[str, Callable[[int], str]] = {
    "underscores": "{:_}".format,
    "a sign": "{:+}".format,
    "a blank": " {}".format,
    "a fraction": "{}.5".format,
    "an exponent": "{}e0".format,
    "another digit": ending_in_arabic,
    "a zero before it": "0{}".format,
}
every_time = pytest.mark.parametrize("write", TIMES.values(), ids=TIMES)


@every_time
def test_a_time_written_as_no_integer_is_refused_and_not_guessed(
    write: Callable[[int], str],
) -> None:
    delivery = signed()
    delivery = replace(delivery, timestamp=write(int(delivery.timestamp)))

    assert (theirs(delivery), ours(delivery)) == (ACCEPTED, REFUSED)


@every_time
def test_so_it_is_when_it_was_signed_as_it_is_written(write: Callable[[int], str]) -> None:
    written = write(int(time.time()))
    made = signature.sign(event_id="msg_1", timestamp=written, body=b"{}", key=KEY)
    delivery = Delivery("msg_1", written, made, b"{}")

    assert (theirs(delivery), ours(delivery)) == (REFUSED, REFUSED)


Late = Callable[[], Delivery]  # made when it is sent, for its time is now
ACCEPTED_THERE: dict[str, Late] = {
    "signs that base64 has not": lambda: with_signatures(lambda made: f"{made[:9]}!?{made[9:]}"),
    "something after the base64": lambda: with_signatures("{}AAAA".format),
    "no base64 after what matches": lambda: with_signatures("{} v1,?".format),
    "nine signatures": lambda: with_signatures(lambda made: " ".join([made] * 9)),
    "an id with a dot": lambda: signed("msg.1"),
    "an id that takes in the time": parted_elsewhere,
    "an id with a blank": lambda: signed("msg 1"),
    "an id in other letters": lambda: signed("méssage"),
    "an id too long": lambda: signed("x" * 256),
}
CRASHES_THERE: dict[str, Late] = {
    "no comma": lambda: with_signatures(lambda made: made.replace(",", "")),
    "two commas": lambda: with_signatures("{},v1".format),
    "no padding": lambda: with_signatures(lambda made: made.rstrip("=")),
    "a signature in other letters": lambda: with_signatures("v1,é{}".format),
    "a blank before the comma": lambda: with_signatures(lambda made: made.replace(",", " ,")),
}


@pytest.mark.parametrize("late", ACCEPTED_THERE.values(), ids=ACCEPTED_THERE)
def test_chirpy_refuses_what_the_oracle_takes_for_well_formed(late: Late) -> None:
    delivery = late()

    assert (theirs(delivery), ours(delivery)) == (ACCEPTED, REFUSED)


@pytest.mark.parametrize("late", CRASHES_THERE.values(), ids=CRASHES_THERE)
def test_chirpy_refuses_what_the_oracle_crashes_on(late: Late) -> None:
    delivery = late()

    assert (theirs(delivery), ours(delivery)) == (CRASHED, REFUSED)


@pytest.mark.parametrize("version", ["v1a", "v2", "V1", "v10", "v01", ""])
def test_a_signature_of_another_version_proves_nothing(version: str) -> None:
    delivery = with_signatures(lambda made: made.replace("v1,", f"{version},"))

    assert (theirs(delivery), ours(delivery)) == (REFUSED, REFUSED)


def with_bytes() -> Delivery:
    """Signed over bytes that are no text; what they mean is not for a signature to say."""
    body, now = b"\xff", str(int(time.time()))
    made = signature.sign(event_id="msg_1", timestamp=now, body=body, key=KEY)
    return Delivery("msg_1", now, made, body)


TAKEN_HERE: dict[str, Late] = {
    "an unknown form of signature before the one that matches": lambda: with_signatures(
        "sha256=0 {}".format
    ),
    "two blanks between signatures": lambda: with_signatures("v2,AA==  {}".format),
    "a body that is no text": with_bytes,
}


@pytest.mark.parametrize("late", TAKEN_HERE.values(), ids=TAKEN_HERE)
def test_what_crashes_the_oracle_and_is_signed_well_is_accepted(late: Late) -> None:
    delivery = late()

    assert (theirs(delivery), ours(delivery)) == (CRASHED, ACCEPTED)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_YQ==", SECRET[6:], SECRET[:-1], f"{SECRET}!"])
def test_a_secret_that_is_none_makes_no_key(secret: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_"):
        parse_signing_key(secret)
