"""The credentials of a delivery: valid ones, and many that are not."""

import base64
import hmac
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from chirpy.settings.parsers import parse_signing_key
from tests.support.databases import POLKA_KEY
from tests.support.factories import API_KEY

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEXT_SECRET = "whsec_" + base64.b64encode(b"n" * 32).decode()
FOREIGN_SECRET = "whsec_" + base64.b64encode(b"f" * 32).decode()
KEYS = (parse_signing_key(NEXT_SECRET), parse_signing_key(SECRET))  # during a key rotation

Headers = dict[str, str]
Credentials = Callable[[bytes], Headers]  # returns the headers for a body, when it is sent
AUTHORIZATION = API_KEY["Authorization"]


def signed(
    body: bytes, secret: str = SECRET, *, event_id: str = "msg_1", timestamp: str | None = None
) -> Headers:
    """Return the signature's headers for `body`, sent now unless `timestamp` is given."""
    timestamp = str(int(time.time())) if timestamp is None else timestamp
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    digest = hmac.digest(parse_signing_key(secret), content, "sha256")
    return {
        "webhook-id": as_header(event_id),
        "webhook-timestamp": as_header(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def as_header(text: str) -> str:
    """Return the text as WSGI passes it on: one character for each byte."""
    return text.encode().decode("latin-1")


def authorization(value: str) -> Credentials:
    """Send this header `Authorization`."""
    return lambda _: {"Authorization": value}


def both(first: Credentials, second: Credentials) -> Credentials:
    """Send the headers of both."""
    return lambda body: first(body) | second(body)


valid_key = authorization(AUTHORIZATION)

WRONG_KEYS: dict[str, Credentials] = {
    "no headers": lambda _: {},
    "another key": authorization("ApiKey f271c81ff7084ee5b99a5091b42d4860"),
    "a truncated key": authorization(AUTHORIZATION[:-1]),
    "a key with one more character": authorization(f"{AUTHORIZATION}0"),
    "a key in upper case": authorization(f"ApiKey {POLKA_KEY.upper()}"),
    "a key in quotes": authorization(f'ApiKey "{POLKA_KEY}"'),
    "a scheme without a key": authorization("ApiKey"),
    "a key without a scheme": authorization(POLKA_KEY),
    "the scheme Bearer": authorization(f"Bearer {POLKA_KEY}"),
    "the key twice": authorization(f"{AUTHORIZATION},{AUTHORIZATION}"),
    "a key that is not ASCII": authorization(as_header("ApiKey schlüssel")),
    "a key that is not UTF-8": authorization("ApiKey \xff"),
}


def without(name: str) -> Credentials:
    """Sign, and leave out one header."""
    return lambda body: {header: value for header, value in signed(body).items() if header != name}


def changed(name: str, change: Callable[[str], str]) -> Credentials:
    """Sign, and change one header afterwards."""

    def send(body: bytes) -> Headers:
        headers = signed(body)
        return headers | {name: as_header(change(headers[name]))}

    return send


def with_time(write: Callable[[int], str]) -> Credentials:
    """Sign a time that is written in another way."""
    return lambda body: signed(body, timestamp=write(int(time.time())))


def with_time_in_id(body: bytes) -> Headers:
    """Sign the same bytes, of which the time and the body's start become the end of the id."""
    now = str(int(time.time()))
    headers = signed(now.encode() + b"." + body, timestamp=now)
    return headers | {"webhook-id": f"{headers['webhook-id']}.{now}"}


TIMES: dict[str, Callable[[int], str]] = {
    "5 minutes and a second ago": lambda now: str(now - 301),
    "over 5 minutes ahead": lambda now: str(now + 310),
    "in milliseconds": "{}000".format,
    "with underscores": "{:_}".format,
    "with a plus": "{:+}".format,
    "with a leading zero": "0{}".format,
    "with a fraction": "{}.0".format,
    "between spaces": " {} ".format,
    "of 5,000 digits": lambda _: "9" * 5000,
    "with an Arabic digit": lambda now: str(now).replace("1", "١"),
}
MALFORMED_IDS = {
    "empty": "",
    "with a dot": "msg.1",
    "with a space": "msg 1",
    "not ASCII": "méssage",
    "of 256 characters": "x" * 256,
}
SIGNATURES: dict[str, Callable[[str], str]] = {
    "without a version": lambda made: made.removeprefix("v1,"),
    "without a comma": lambda made: made.replace(",", ""),
    "truncated": lambda made: made[:-4],
    "without its padding": lambda made: made.rstrip("="),
    "with characters outside base64": lambda made: f"{made[:9]}!?{made[9:]}",
    "with more after its end": "{}AAAA".format,
    "before one that is not base64": "{} v1,?".format,
    "not ASCII": lambda _: "v1,é",
    "twice, separated by a comma": lambda made: f"{made},{made}",
    "nine times": lambda made: " ".join([made] * 9),
    **{f"of version {name!r}": partial(re.sub, "^v1", name) for name in ("v1a", "v2", "V1", "v01")},
}
WRONG_SIGNATURES: dict[str, Credentials] = {
    "no headers": lambda _: {},
    "another id": changed("webhook-id", lambda _: "msg_2"),
    "an id that contains the time": with_time_in_id,
    "another second": changed("webhook-timestamp", lambda then: str(int(then) - 1)),
    "a signature of another body": lambda body: signed(body + b" "),
    "a signature with a foreign key": partial(signed, secret=FOREIGN_SECRET),
    **{f"no {name}": without(name) for name in signed(b"")},
    **{f"an id, {name}": partial(signed, event_id=text) for name, text in MALFORMED_IDS.items()},
    **{f"a time, {name}": with_time(write) for name, write in TIMES.items()},
    **{
        f"a signature, {name}": changed("webhook-signature", change)
        for name, change in SIGNATURES.items()
    },
}
# What a receiver can require: its settings, and wrong credentials for it.
SETTINGS: dict[str, dict[str, Any]] = {
    "a key": {},
    "a signature": {"polka_key": None, "polka_webhook_secrets": KEYS},
    "both": {"polka_webhook_secrets": KEYS},
}
WRONG: dict[str, dict[str, Credentials]] = {
    "a key": WRONG_KEYS,
    "a signature": WRONG_SIGNATURES,
    "both": {
        "only the key": valid_key,
        "only the signature": signed,
        "the signature and another key": both(signed, WRONG_KEYS["another key"]),
        "the key and another signature": both(valid_key, WRONG_SIGNATURES["another id"]),
    },
}
