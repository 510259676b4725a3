"""Deliveries that are refused: each is wrong in one way, which its name says.

Their order is the order of the checks.
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
from tests.support.databases import Sql
from tests.support.factories import an_event, an_id

PATH = "/api/polka/webhooks"
KNOWN_USER = UUID("3311741c-680c-4546-99f3-fc9efac2036c")
OTHER_USER = UUID("7a1f0a0e-5f3c-4c55-9d0e-2f6f3b1c8e44")
UNKNOWN_USER = UUID("00000000-0000-4000-8000-000000000000")

# Events that the database has already, each delivered twice.
KNOWN_EVENTS = [
    an_event(KNOWN_USER, id="evt_applied", timestamp="2026-01-31T12:00:00Z"),
    an_event(KNOWN_USER, "user.downgraded", id="evt_stale", timestamp="2026-01-31T11:00:00Z"),
    an_event(KNOWN_USER, "invoice.paid", id="evt_ignored"),
]
[APPLIED, STALE, IGNORED] = KNOWN_EVENTS

VALID = an_event(KNOWN_USER, "user.downgraded", id="evt_new", timestamp="2026-01-31T13:00:00Z")
VALID_BODY = json.dumps(VALID).encode()


@dataclass(frozen=True)
class Delivery:
    """A request, the status of its response, and the fields that the response names."""

    status: int
    body: bytes = VALID_BODY
    fields: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    sender: BodySender = with_length

    def send(self, client: FlaskClient, credentials: dict[str, str]) -> TestResponse:
        """Send it with the headers that have the credentials."""
        request = self.sender(self.body)
        headers = self.headers | credentials | request.pop("headers", {})
        return client.open(PATH, method=self.method, headers=headers, **request)


def insert_event(sql: Sql, **columns: Any) -> str:
    """Insert a row into the delivery log. Return the event's id."""
    row = {"event_id": an_id(), "type": "x", "body": "{}"} | columns
    row.setdefault("first_delivered_at", "2026-01-31T12:00:00Z")
    row.setdefault("last_delivered_at", row["first_delivered_at"])
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    sql(f"INSERT INTO webhook_events ({names}) VALUES ({values})", *row.values())
    return str(row["event_id"])


def days_ago(days: int) -> str:
    """Return a time in ISO 8601."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


WRONG_METHOD = {
    f"the method {method}": Delivery(405, method=method)
    for method in ("GET", "PUT", "PATCH", "DELETE")
}

TOO_LARGE = {
    "64 KiB and a byte": Delivery(413, VALID_BODY.ljust(BODY_LIMIT + 1)),
    "64 KiB and a byte in chunks": Delivery(413, VALID_BODY.ljust(BODY_LIMIT + 1), sender=chunked),
    "200 kB in chunks": Delivery(413, VALID_BODY.ljust(200_000), sender=chunked),
    "10 MB announced": Delivery(413, sender=with_wrong_length(10_000_000)),
}

TRUNCATED = {
    "a byte less than announced": Delivery(400, sender=with_wrong_length(len(VALID_BODY) + 1)),
    "nothing of what was announced": Delivery(400, b"", sender=with_wrong_length(len(VALID_BODY))),
    "chunks that end in the middle": Delivery(400, VALID_BODY[:50], sender=chunked_and_truncated),
    "chunks without the last one": Delivery(400, sender=chunked_and_truncated),
}

# Here the credentials are checked: see tests/support/credentials.py.


def with_value(value: bytes) -> bytes:
    """Return a valid body with one more member, which has this value."""
    return VALID_BODY[:-1] + b', "more": ' + value + b"}"


# tests/web/test_strict_json.py has more, for each route that reads JSON.
NOT_JSON = {
    f"JSON, {name}": Delivery(400, body)
    for name, body in {
        "empty": b"",
        "a form": f"event=user.upgraded&user_id={KNOWN_USER}".encode(),
        "without the last brace": VALID_BODY[:-1],
        "two events": VALID_BODY * 2,
        "a form feed after it": VALID_BODY + b"\f",
        "a NUL after it": VALID_BODY + b"\0",
        "a key twice": VALID_BODY[:-1] + b', "event": "user.upgraded"}',
        "a key twice, once escaped": VALID_BODY[:-1] + rb', "\u0065vent": "user.upgraded"}',
        "a number that no double holds": with_value(b"1e999"),
        "a number with an Arabic digit": with_value("1٣".encode()),
        "a number with a leading zero": with_value(b"01"),
        "an exponent of 5,000 digits": with_value(b"1e" + b"9" * 5000),
        "65 nested brackets": with_value(b"[" * 64 + b"]" * 64),
        "UTF-32": VALID_BODY.decode().encode("utf-32"),
    }.items()
}


def with_user_id(user_id: Any) -> dict[str, Any]:
    """Return an event that is valid except for its user's id."""
    return VALID | {"data": {"user_id": user_id}}


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
WRONG_TIMES = {
    "without zone": "2026-01-31T13:00:00",
    "without hours": "2026-01-31",
    "in seconds since 1970": 1769860800,
    "in words": "noon",
    "empty": "",
    "on February 30": "2026-02-30T13:00:00Z",
    "with a lone surrogate": "2026-01-31T13:00:00\ud800",
    "with NUL": "2026-01-31T13:00:00Z\0",
    "with a second zone after NUL": "2026-01-31T13:00:00Z\0+01:00",
    "with NUL before the zone": "2026-01-31T13:00:00\0+01:00",
    "with letters for digits": "2026-01-31T13:00:00.1234567xxxZ",
    "as a week date": "2026-W05-6T13:00:00Z",
    "with an impossible zone": "2026-01-31T13:00:00+25:00",
    "before the year 1 in UTC": "0001-01-01T00:00:00+14:00",
    "after the year 9999 in UTC": "9999-12-31T23:59:59-14:00",
    "in the future": TOMORROW,
}
WRONG_USER_IDS = {
    "null": None,
    "a number": 1,
    "a list": [str(KNOWN_USER)],
    "in braces": f"{{{KNOWN_USER}}}",
    "a URN": KNOWN_USER.urn,
    "without hyphens": KNOWN_USER.hex,
    "with a newline": f"{KNOWN_USER}\n",
    "with NUL": f"{KNOWN_USER}\0",
    "with a lone surrogate": f"{KNOWN_USER}\ud800",
    "in full-width digits": str(KNOWN_USER).replace("1", "１"),
}
# tests/web/test_fields.py has more bodies, and more values of `event`.
WRONG_EVENTS: dict[str, tuple[Any, str]] = {
    "a string": (json.dumps(VALID), "The body"),
    "no event": ({name: value for name, value in VALID.items() if name != "event"}, "event"),
    "event of 256 characters": (VALID | {"event": "x" * 256}, "event"),
    "no data": ({"event": "user.upgraded"}, "data.user_id"),
    "data null": (VALID | {"data": None}, "data.user_id"),
    "data a list": (VALID | {"data": [VALID["data"]]}, "data"),
    "data a string": (VALID | {"data": str(KNOWN_USER)}, "data"),
    "no user_id": (VALID | {"data": {}}, "data.user_id"),
    "id a number": (VALID | {"id": 7}, "id"),
    "id empty": (VALID | {"id": ""}, "id"),
    "id with NUL": (VALID | {"id": "evt\0"}, "id"),
    "id a lone surrogate": (VALID | {"id": "\udfff"}, "id"),
    "id of 256 characters": (VALID | {"id": "x" * 256}, "id"),
    **{
        f"user_id {name}": (with_user_id(user_id), "data.user_id")
        for name, user_id in WRONG_USER_IDS.items()
    },
    **{
        f"time {name}": (VALID | {"timestamp": time}, "timestamp")
        for name, time in WRONG_TIMES.items()
    },
}
NOT_AN_EVENT = {
    f"event, {name}": Delivery(400, json.dumps(event).encode(), (field_name,))
    for name, (event, field_name) in WRONG_EVENTS.items()
}

WITHOUT_ID = json.dumps(an_event(KNOWN_USER)).encode()
WRONG_HEADER_IDS = {
    "empty": "",
    "with a dot": "evt.new",
    "with a space": "evt new",
    "not ASCII": "\xe9vt",
    "of 256 characters": "x" * 256,
}
WRONG_ID = {
    f"an id that differs from the header {header_id}": Delivery(
        400, fields=("id",), headers={"webhook-id": header_id}
    )
    for header_id in ("evt_newer", "EVT_NEW")
} | {
    f"an id in the header, {name}": Delivery(
        400, WITHOUT_ID, ("webhook-id",), headers={"webhook-id": header_id}
    )
    for name, header_id in WRONG_HEADER_IDS.items()
}

REFUSED_BY_DATABASE = {
    f"an unknown user, {name}": Delivery(404, json.dumps(event).encode(), ("data.user_id",))
    for name, event in {
        "upgraded": an_event(UNKNOWN_USER, id="evt_unknown"),
        "downgraded": an_event(UNKNOWN_USER, "user.downgraded", id="evt_unknown"),
        "without an id": an_event(UNKNOWN_USER),
        "all zeros": an_event(UUID(int=0), id="evt_unknown"),
    }.items()
} | {
    f"a known id, {name}": Delivery(409, json.dumps(event).encode(), ("id",))
    for name, event in {
        "with another type": APPLIED | {"event": "user.downgraded"},
        "with a type that is ignored": APPLIED | {"event": "invoice.paid"},
        "with another user": APPLIED | {"data": {"user_id": str(OTHER_USER)}},
        "with an unknown user": APPLIED | {"data": {"user_id": str(UNKNOWN_USER)}},
        "with more data": APPLIED | {"data": APPLIED["data"] | {"plan": "yearly"}},
        "of a stale event": STALE | {"event": "user.upgraded"},
        "of an ignored event": IGNORED | {"event": "user.downgraded"},
    }.items()
}
REFUSED_BY_DATABASE["a known id in the header"] = Delivery(
    409, WITHOUT_ID, ("id",), headers={"webhook-id": "evt_ignored"}
)

# A signature is over the whole body, so the body is read before the credentials are checked.
BEFORE_CREDENTIALS = WRONG_METHOD | TOO_LARGE | TRUNCATED
REFUSED_BEFORE_DATABASE = NOT_JSON | NOT_AN_EVENT | WRONG_ID
AFTER_CREDENTIALS = REFUSED_BEFORE_DATABASE | REFUSED_BY_DATABASE
