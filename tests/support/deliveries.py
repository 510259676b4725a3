"""Deliveries that are refused: each is wrong in one way, which its name says.

Their order is the order of the checks. tests/web has more methods, more that is not JSON, and more
invalid fields, for each route that reads JSON.
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
from tests.support.credentials import MALFORMED_IDS, as_header
from tests.support.databases import Sql
from tests.support.factories import an_event, an_id

PATH = "/api/polka/webhooks"
KNOWN_USER = UUID("3311741c-680c-4546-99f3-fc9efac2036c")
UNKNOWN_USER = UUID("00000000-0000-4000-8000-000000000000")

# The database has this event already.
KNOWN_EVENT = an_event(KNOWN_USER, id="evt_known", timestamp="2026-01-31T12:00:00Z")
VALID = an_event(KNOWN_USER, "user.downgraded", id="evt_new", timestamp="2026-01-31T13:00:00Z")
VALID_BODY = json.dumps(VALID).encode()
WITHOUT_ID = an_event(KNOWN_USER, "user.downgraded")


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
    first = columns.get("first_delivered_at", "2026-01-31T12:00:00Z")
    row = {"event_id": an_id(), "type": "x", "body": "{}", "first_delivered_at": first}
    row |= {"last_delivered_at": first} | columns
    names, values = ", ".join(row), ", ".join(["%s"] * len(row))
    sql(f"INSERT INTO webhook_events ({names}) VALUES ({values})", *row.values())
    return str(row["event_id"])


def days_ago(days: int) -> str:
    """Return a time in ISO 8601."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def wrong(field_name: str, event: Any, status: int = 400, **headers: str) -> Delivery:
    """Return the delivery of an event whose response names this field."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery(status, json.dumps(event).encode(), (field_name,), headers)


# A signature is over the whole body, so the body is read before the credentials are checked.
BEFORE_CREDENTIALS = {
    "the method PUT": Delivery(405, method="PUT"),
    "64 KiB and a byte in chunks": Delivery(413, VALID_BODY.ljust(BODY_LIMIT + 1), sender=chunked),
    "10 MB announced": Delivery(413, sender=with_wrong_length(10_000_000)),
    "a byte less than announced": Delivery(400, sender=with_wrong_length(len(VALID_BODY) + 1)),
    "chunks that end in the middle": Delivery(400, VALID_BODY[:50], sender=chunked_and_truncated),
    "chunks without the last one": Delivery(400, sender=chunked_and_truncated),
}

NOT_JSON = {
    "nothing": Delivery(400, b""),
    "a form feed after the JSON": Delivery(400, VALID_BODY + b"\f"),
    "a key twice, once escaped": Delivery(400, VALID_BODY[:-1] + rb', "\u0065vent": "x"}'),
    "a number with an Arabic digit": Delivery(400, VALID_BODY[:-1] + ', "more": 1٣}'.encode()),
    "a number with a leading zero": Delivery(400, VALID_BODY[:-1] + b', "more": 01}'),
}
WRONG_TIMES = {
    "without zone": "2026-01-31T13:00:00",
    "in seconds since 1970": 1769860800,
    "empty": "",
    "on February 30": "2026-02-30T13:00:00Z",
    "with a lone surrogate": "2026-01-31T13:00:00\ud800",
    "with a second zone after NUL": "2026-01-31T13:00:00Z\0+01:00",
    "with letters for digits": "2026-01-31T13:00:00.1234567xxxZ",
    "as a week date": "2026-W05-6T13:00:00Z",
    "with an impossible zone": "2026-01-31T13:00:00+25:00",
    "that Go's zero time is": "0001-01-01T00:00:00Z",
    "that Unix's zero time is": "1970-01-01T00:00:00Z",
    "before 2000 in UTC": "2000-01-01T00:59:59.999999+01:00",
    "with a leap second at noon": "2026-01-31T12:00:60Z",
    "with a leap second before midnight elsewhere": "2026-01-31T23:59:60+01:00",
    "with a leap second and 60 minutes": "2026-01-31T23:60:60Z",
    "after the year 9999 by a leap second": "9999-12-31T23:59:60Z",
    "before the year 1 in UTC": "0001-01-01T00:00:00+14:00",
    "after the year 9999 in UTC": "9999-12-31T23:59:59-14:00",
    "in the future": days_ago(-1),
}
WRONG_USER_IDS = {
    "null": None,
    "a number": 1,
    "in braces": f"{{{KNOWN_USER}}}",
    "a URN": KNOWN_USER.urn,
    "without hyphens": KNOWN_USER.hex,
    "with a newline": f"{KNOWN_USER}\n",
    "with NUL": f"{KNOWN_USER}\0",
    "with a lone surrogate": f"{KNOWN_USER}\ud800",
    "in full-width digits": str(KNOWN_USER).replace("1", "１"),
}
MADE_KEY = f"body:{'0' * 64}"
WRONG_IDS = {
    "a number": 7,
    "empty": "",
    "NUL": "\0",
    "a surrogate": "\udfff",
    "long": "x" * 256,
    "a made key": MADE_KEY,
    "an old made key": MADE_KEY.replace("body", "data"),
}
NOT_AN_EVENT = {
    "event of 256 characters": wrong("event", VALID | {"event": "x" * 256}),
    "no data": wrong("data.user_id", {"event": "user.upgraded"}),
    "data null": wrong("data.user_id", VALID | {"data": None}),
    "data a list": wrong("data", VALID | {"data": [VALID["data"]]}),
    "no user_id": wrong("data.user_id", VALID | {"data": {}}),
    **{
        f"user_id {name}": wrong("data.user_id", VALID | {"data": {"user_id": user_id}})
        for name, user_id in WRONG_USER_IDS.items()
    },
    **{f"id {name}": wrong("id", VALID | {"id": value}) for name, value in WRONG_IDS.items()},
    **{
        f"time {name}": wrong("timestamp", VALID | {"timestamp": time})
        for name, time in WRONG_TIMES.items()
    },
    "a made key in the header": wrong("webhook-id", WITHOUT_ID, webhook_id=MADE_KEY),
    "an id that differs from the header": wrong("id", VALID, webhook_id="EVT_NEW"),
    **{
        f"an id in the header, {name}": wrong(
            "webhook-id", WITHOUT_ID, webhook_id=as_header(header_id)
        )
        for name, header_id in MALFORMED_IDS.items()
    },
}
REFUSED_BY_DATABASE = {
    "unknown user, with an id": wrong("data.user_id", an_event(UNKNOWN_USER, id="evt_new"), 404),
    "unknown user, without an id": wrong("data.user_id", an_event(UNKNOWN_USER), 404),
    "known id, another type": wrong("id", KNOWN_EVENT | {"event": "user.downgraded"}, 409),
    "known id, an unknown user": wrong("id", an_event(UNKNOWN_USER, id="evt_known"), 409),
    "known id, more data": wrong(
        "id", KNOWN_EVENT | {"data": KNOWN_EVENT["data"] | {"plan": "yearly"}}, 409
    ),
    "known id in the header": wrong("id", WITHOUT_ID, 409, webhook_id="evt_known"),
}

AFTER_CREDENTIALS = NOT_JSON | NOT_AN_EVENT | REFUSED_BY_DATABASE
