"""What proves that a delivery is Polka's, and the many things that do not."""

import base64
import hmac
import time
from collections.abc import Callable

from chirpy.settings import parse_signing_key
from tests.support.databases import POLKA_KEY
from tests.support.factories import API_KEY

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
FOREIGN_SECRET = "whsec_" + base64.b64encode(b"f" * 32).decode()
KEYS = (
    parse_signing_key(NEXT_SECRET),
    parse_signing_key(SECRET),
)  # of the receiver, while one is rolled

Headers = dict[str, str]
Forge = Callable[[bytes], Headers]  # what is to prove a body, made when it is sent
RIGHT = API_KEY["Authorization"]


def signed(
    body: bytes, secret: str = SECRET, *, event_id: str = "msg_1", timestamp: str | None = None
) -> Headers:
    """The headers that prove `body`, sent now or with another `timestamp`."""
    timestamp = seconds_from_now(0) if timestamp is None else timestamp
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    made = base64.b64encode(hmac.digest(parse_signing_key(secret), content, "sha256")).decode()
    return {
        "webhook-id": as_header(event_id),
        "webhook-timestamp": as_header(timestamp),
        "webhook-signature": f"v1,{made}",
    }


def seconds_from_now(seconds: int) -> str:
    return str(int(time.time()) + seconds)


def as_header(text: str) -> str:
    """How a server hands on what is not ASCII: a character for each byte."""
    return text.encode().decode("latin-1")


def with_key(authorization: str) -> Forge:
    """Something in the header `Authorization`."""
    return lambda _: {"Authorization": authorization}


def together(*proofs: Forge) -> Forge:
    """The headers of several proofs."""
    return lambda body: {name: value for made in proofs for name, value in made(body).items()}


right_key = with_key(RIGHT)

WRONG_KEYS: dict[str, Forge] = {
    "nothing": lambda _: {},
    "an empty key header": with_key(""),
    "another key": with_key("ApiKey f271c81ff7084ee5b99a5091b42d4860"),
    "a key cut short": with_key(RIGHT[:-1]),
    "a key and a sign more": with_key(f"{RIGHT}0"),
    "a key in upper case": with_key(f"ApiKey {POLKA_KEY.upper()}"),
    "a key within quotes": with_key(f'ApiKey "{POLKA_KEY}"'),
    "a scheme and no key": with_key("ApiKey"),
    "a key and no scheme": with_key(POLKA_KEY),
    "the scheme Bearer": with_key(f"Bearer {POLKA_KEY}"),
    "the key twice": with_key(f"{RIGHT},{RIGHT}"),
    "the key, then another": with_key(f"{RIGHT}, ApiKey other"),
    "a key that is not ASCII": with_key(as_header("ApiKey schlüssel")),
    "a key that is no text": with_key("ApiKey \xff"),
}


def without(name: str) -> Forge:
    def forge(body: bytes) -> Headers:
        return {header: value for header, value in signed(body).items() if header != name}

    return forge


def changed(name: str, change: Callable[[str], str]) -> Forge:
    """All of them, one of them changed after they were made."""

    def forge(body: bytes) -> Headers:
        made = signed(body)
        return made | {name: as_header(change(made[name]))}

    return forge


def with_signature(change: Callable[[str], str]) -> Forge:
    return changed("webhook-signature", change)


def with_id(event_id: str) -> Forge:
    """An id that is malformed, and well signed."""
    return lambda body: signed(body, event_id=event_id)


def with_time(write: Callable[[int], str]) -> Forge:
    """The time written in some other way, and well signed as it is written."""
    return lambda body: signed(body, timestamp=write(int(time.time())))


def in_arabic_digits(number: int) -> str:
    return str(number).translate({ord("0") + digit: 0x660 + digit for digit in range(10)})


WRONG_SIGNATURES: dict[str, Forge] = {
    "nothing": lambda _: {},
    "no id": without("webhook-id"),
    "an empty id": with_id(""),
    "an id with a dot": with_id("msg.1"),
    "an id with a blank": with_id("msg 1"),
    "an id that is not ASCII": with_id("méssage"),
    "an id of 256 characters": with_id("x" * 256),
    "another id": changed("webhook-id", lambda _: "msg_2"),
    "no time": without("webhook-timestamp"),
    "an empty time": with_time(lambda _: ""),
    "a time 5 minutes and a second ago": with_time(lambda now: str(now - 301)),
    "a time over 5 minutes ahead": with_time(lambda now: str(now + 310)),
    "a time in milliseconds": with_time("{}000".format),
    "a time with underscores": with_time("{:_}".format),
    "a time with a plus": with_time("{:+}".format),
    "a time with a minus": with_time("-{}".format),
    "a time with a zero before it": with_time("0{}".format),
    "a time with a fraction": with_time("{}.0".format),
    "a time with an exponent": with_time("{}e0".format),
    "a time between blanks": with_time(" {} ".format),
    "a time of 5,000 digits": with_time(lambda _: "9" * 5000),
    "a time in Arabic digits": with_time(in_arabic_digits),
    "the second before": changed("webhook-timestamp", lambda then: str(int(then) - 1)),
    "no signature": without("webhook-signature"),
    "an empty signature": with_signature(lambda _: ""),
    "a signature of another body": lambda body: signed(body + b" "),
    "a signature by a foreign key": lambda body: signed(body, FOREIGN_SECRET),
    "a signature of another version": with_signature(lambda made: made.replace("v1,", "v2,")),
    "a signature without a version": with_signature(lambda made: made.removeprefix("v1,")),
    "a signature cut short": with_signature(lambda made: made[:-4]),
    "a signature without its padding": with_signature(lambda made: made.rstrip("=")),
    "a signature with signs that base64 has not": with_signature(
        lambda made: f"{made[:9]}!?{made[9:]}"
    ),
    "a signature that goes on after its end": with_signature("{}AAAA".format),
    "a signature that is not ASCII": with_signature(lambda _: "v1,é"),
    "two signatures with a comma between": with_signature(lambda made: f"{made},{made}"),
    "nine signatures": with_signature(lambda made: " ".join([made] * 9)),
}

WRONG_TOGETHER: dict[str, Forge] = {
    "only the key": right_key,
    "only the signature": signed,
    "the signature and another key": together(signed, WRONG_KEYS["another key"]),
    "the key and a foreign signature": together(
        right_key, WRONG_SIGNATURES["a signature by a foreign key"]
    ),
}
