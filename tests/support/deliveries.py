"""Deliveries to refuse: something is wrong with each, its name says what, and all else is right.

Their order is the order in which a delivery is looked at.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.bodies import (
    BODY_LIMIT,
    BodySender,
    chunked,
    chunked_and_truncated,
    with_length,
    with_wrong_length,
)
from tests.support.factories import an_event

PATH = "/api/polka/webhooks"
KNOWN_USER = UUID("3311741c-680c-4546-99f3-fc9efac2036c")
OTHER_USER = UUID("7a1f0a0e-5f3c-4c55-9d0e-2f6f3b1c8e44")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")

# What is in the database already, each delivered twice.
KNOWN = [
    an_event(KNOWN_USER, id="evt_applied", timestamp="2026-01-31T12:00:00Z"),
    an_event(KNOWN_USER, "user.downgraded", id="evt_stale", timestamp="2026-01-31T11:00:00Z"),
    an_event(KNOWN_USER, "invoice.paid", id="evt_ignored"),
]
[APPLIED, STALE, IGNORED] = KNOWN

GOOD = an_event(KNOWN_USER, "user.downgraded", id="evt_new", timestamp="2026-01-31T13:00:00Z")
GOOD_BODY = json.dumps(GOOD).encode()


@dataclass(frozen=True)
class Delivery:
    """A request with something wrong, and how it is refused: the status, the fields named."""

    status: int
    body: bytes = GOOD_BODY
    fields: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    way: BodySender = with_length

    def send(self, client: FlaskClient, proof: dict[str, str]) -> TestResponse:
        """Deliver it with the headers that prove, or do not, that it is Polka's."""
        request = self.way(self.body)
        headers = self.headers | proof | request.pop("headers", {})
        return client.open(PATH, method=self.method, headers=headers, **request)


NO_POST = {
    f"the method {method}": Delivery(405, method=method)
    for method in ("GET", "PUT", "PATCH", "DELETE")
}

TOO_LARGE = {
    "64 KiB and a byte": Delivery(413, GOOD_BODY.ljust(BODY_LIMIT + 1)),
    "64 KiB and a byte in chunks": Delivery(413, GOOD_BODY.ljust(BODY_LIMIT + 1), way=chunked),
    "200 kB": Delivery(413, GOOD_BODY.ljust(200_000)),
    "200 kB in chunks": Delivery(413, GOOD_BODY.ljust(200_000), way=chunked),
    "10 MB announced": Delivery(413, way=with_wrong_length(10_000_000)),
    "100,000 brackets": Delivery(413, b"[" * 100_000),
}

CUT_OFF = {
    "a byte less than announced": Delivery(400, way=with_wrong_length(len(GOOD_BODY) + 1)),
    "nothing of what was announced": Delivery(400, b"", way=with_wrong_length(len(GOOD_BODY))),
    "chunks that break off in the middle": Delivery(400, GOOD_BODY[:50], way=chunked_and_truncated),
    "chunks that break off before the last": Delivery(400, way=chunked_and_truncated),
}

# Credentials come here: see tests/support/credentials.py


# Not JSON


def and_more(value: bytes) -> bytes:
    """A good body with one more member, whatever is its value."""
    return GOOD_BODY[:-1] + b', "more": ' + value + b"}"


NO_JSON: dict[str, bytes] = {
    "nothing": b"",
    "only blanks": b" \r\n\t",
    "words": b"hello",
    "a form": f"event=user.upgraded&user_id={KNOWN_USER}".encode(),
    "no last brace": GOOD_BODY[:-1],
    "two events": GOOD_BODY * 2,
    "a comma too many": GOOD_BODY[:-1] + b",}",
    "a comment": GOOD_BODY + b"// what happened",
    "a blank that JSON has not": GOOD_BODY + b"\f",
    "single quotes": GOOD_BODY.replace(b'"', b"'"),
    "a key without quotes": GOOD_BODY.replace(b'"event"', b"event"),
    "a key twice": GOOD_BODY[:-1] + b', "event": "user.upgraded"}',
    "a key twice, once in disguise": GOOD_BODY[:-1] + rb', "\u0065vent": "user.upgraded"}',
    "a key twice further down": and_more(b'[{"a": 1, "b": 2, "a": 1}]'),
    "NaN": and_more(b"NaN"),
    "Infinity": and_more(b"Infinity"),
    "-Infinity": and_more(b"-Infinity"),
    "a number that no double holds": and_more(b"1e999"),
    "a number in other digits": and_more("1٣".encode()),
    "a number with a zero before it": and_more(b"01"),
    "an integer of 5,000 digits": and_more(b"9" * 5000),
    "a fraction of 5,000 digits": and_more(b"0." + b"9" * 5000),
    "an exponent of 5,000 digits": and_more(b"1e" + b"9" * 5000),
    "65 brackets within brackets": and_more(b"[" * 64 + b"]" * 64),
    "30,000 brackets within brackets": and_more(b"[" * 30_000 + b"]" * 30_000),
    "30,000 brackets that stay open": b"[" * 30_000,
    "10,000 objects within objects": and_more(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "UTF-16": GOOD_BODY.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD_BODY.decode().encode("utf-16-le"),
    "UTF-32": GOOD_BODY.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD_BODY,
    "Latin-1": and_more('"é"'.encode("latin-1")),
    "a surrogate in UTF-8": and_more(b'"\xed\xa0\x80"'),
    "an overlong NUL": and_more(b'"\xc0\x80"'),
    "a bare NUL after it": GOOD_BODY + b"\0",
    "a bare NUL in a string": and_more(b'"\0"'),
    "a bare newline in a string": and_more(b'"\n"'),
    "an escape of nothing": and_more(rb'"\x41"'),
    "half an escape": and_more(rb'"\u00"'),
}
NOT_JSON = {f"as JSON, {name}": Delivery(400, body) for name, body in NO_JSON.items()}


# Not an event


def about(user_id: Any) -> dict[str, Any]:
    """A good event but for the user's id."""
    return GOOD | {"data": {"user_id": user_id}}


def at(timestamp: Any) -> dict[str, Any]:
    """A good event but for its time."""
    return GOOD | {"timestamp": timestamp}


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
NOT_EVENTS: dict[str, tuple[Any, str]] = {
    "an array": ([GOOD], "The body"),
    "null": (None, "The body"),
    "a string": (json.dumps(GOOD), "The body"),
    "no event": ({name: value for name, value in GOOD.items() if name != "event"}, "event"),
    "event null": (GOOD | {"event": None}, "event"),
    "event a number": (GOOD | {"event": 5}, "event"),
    "event empty": (GOOD | {"event": ""}, "event"),
    "event with NUL": (GOOD | {"event": "user.\0"}, "event"),
    "event a lone surrogate": (GOOD | {"event": "\ud800"}, "event"),
    "event of 256 characters": (GOOD | {"event": "x" * 256}, "event"),
    "no data": ({"event": "user.upgraded"}, "data.user_id"),
    "data null": (GOOD | {"data": None}, "data.user_id"),
    "data a list": (GOOD | {"data": [GOOD["data"]]}, "data"),
    "data a string": (GOOD | {"data": str(KNOWN_USER)}, "data"),
    "no user_id": (GOOD | {"data": {}}, "data.user_id"),
    "user_id null": (about(None), "data.user_id"),
    "user_id a number": (about(1), "data.user_id"),
    "user_id a list": (about([str(KNOWN_USER)]), "data.user_id"),
    "user_id in braces": (about(f"{{{KNOWN_USER}}}"), "data.user_id"),
    "user_id a URN": (about(KNOWN_USER.urn), "data.user_id"),
    "user_id without hyphens": (about(KNOWN_USER.hex), "data.user_id"),
    "user_id with a newline": (about(f"{KNOWN_USER}\n"), "data.user_id"),
    "user_id with NUL": (about(f"{KNOWN_USER}\0"), "data.user_id"),
    "user_id with a lone surrogate": (about(f"{KNOWN_USER}\ud800"), "data.user_id"),
    "user_id in other digits": (about(str(KNOWN_USER).replace("1", "１")), "data.user_id"),
    "id a number": (GOOD | {"id": 7}, "id"),
    "id empty": (GOOD | {"id": ""}, "id"),
    "id with NUL": (GOOD | {"id": "evt\0"}, "id"),
    "id a lone surrogate": (GOOD | {"id": "\udfff"}, "id"),
    "id of 256 characters": (GOOD | {"id": "x" * 256}, "id"),
    "time without zone": (at("2026-01-31T13:00:00"), "timestamp"),
    "time without hours": (at("2026-01-31"), "timestamp"),
    "time in seconds since 1970": (at(1769860800), "timestamp"),
    "time in words": (at("noon"), "timestamp"),
    "time empty": (at(""), "timestamp"),
    "time of no day": (at("2026-02-30T13:00:00Z"), "timestamp"),
    "time with a lone surrogate": (at("2026-01-31T13:00:00\ud800"), "timestamp"),
    "time with NUL": (at("2026-01-31T13:00:00Z\0"), "timestamp"),
    "time with something behind a NUL": (at("2026-01-31T13:00:00Z\0+01:00"), "timestamp"),
    "time with NUL before the zone": (at("2026-01-31T13:00:00\0+01:00"), "timestamp"),
    "time with letters for digits": (at("2026-01-31T13:00:00.1234567xxxZ"), "timestamp"),
    "time of a week": (at("2026-W05-6T13:00:00Z"), "timestamp"),
    "time in a zone that is none": (at("2026-01-31T13:00:00+25:00"), "timestamp"),
    "time before all calendars": (at("0001-01-01T00:00:00+14:00"), "timestamp"),
    "time after all calendars": (at("9999-12-31T23:59:59-14:00"), "timestamp"),
    "time in the future": (at(TOMORROW), "timestamp"),
}
MISSHAPEN = {
    f"in the event, {name}": Delivery(400, json.dumps(event).encode(), (field_name,))
    for name, (event, field_name) in NOT_EVENTS.items()
}

WITHOUT_ID = json.dumps(an_event(KNOWN_USER)).encode()
NO_IDS = {
    "empty": "",
    "a dot": "evt.new",
    "a blank": "evt new",
    "not ASCII": "\xe9vt",
    "256 characters": "x" * 256,
}
MISTITLED = {
    "an id that differs from the header": Delivery(
        400, fields=("id",), headers={"webhook-id": "evt_newer"}
    ),
    "an id that differs in case from the header": Delivery(
        400, fields=("id",), headers={"webhook-id": "EVT_NEW"}
    ),
} | {
    f"an id in the header, {name}": Delivery(
        400, WITHOUT_ID, ("webhook-id",), headers={"webhook-id": no_id}
    )
    for name, no_id in NO_IDS.items()
}


# What the database refuses

UNKNOWN_USER = {
    f"nobody's id, {name}": Delivery(404, json.dumps(event).encode(), ("data.user_id",))
    for name, event in {
        "upgraded": an_event(NOBODY, id="evt_nobody"),
        "downgraded": an_event(NOBODY, "user.downgraded", id="evt_nobody"),
        "without an id": an_event(NOBODY),
        "all zeros": an_event(UUID(int=0), id="evt_nobody"),
    }.items()
}

OTHER_MEANING = {
    f"an id that came before, {name}": Delivery(409, json.dumps(event).encode(), ("id",))
    for name, event in {
        "now of another type": APPLIED | {"event": "user.downgraded"},
        "now of a type that is ignored": APPLIED | {"event": "invoice.paid"},
        "now of another user": APPLIED | {"data": {"user_id": str(OTHER_USER)}},
        "now of nobody": APPLIED | {"data": {"user_id": str(NOBODY)}},
        "now with more data": APPLIED | {"data": APPLIED["data"] | {"plan": "yearly"}},
        "of an event that was stale": STALE | {"event": "user.upgraded"},
        "of an event that was ignored": IGNORED | {"event": "user.downgraded"},
    }.items()
} | {
    "an id that came before, in the header": Delivery(
        409, WITHOUT_ID, ("id",), headers={"webhook-id": "evt_ignored"}
    )
}

# Refused before anybody asks who sends it: what a signature proves is a whole body.
BEFORE_CREDENTIALS = NO_POST | TOO_LARGE | CUT_OFF
AFTER_CREDENTIALS = NOT_JSON | MISSHAPEN | MISTITLED | UNKNOWN_USER | OTHER_MEANING
