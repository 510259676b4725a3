"""The cases: what is requested, and the status that every response must have."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.api import PAGE_SIZE, PASSWORD, UNIQUE, Author, Request, Target, post_chirp, send

NEXT_LINK = re.compile(r'<([^>]+)>; *rel="?next"?')
FIRST_PAGE = Request("GET", f"/api/chirps?limit={PAGE_SIZE}")


class NotOffered(Exception):
    """The server under test does not offer a case; the text says why."""


class Case(NamedTuple):
    """One kind of request. `requests` are sent in turn, again and again."""

    name: str
    status: int
    requests: Callable[[Target], Sequence[Request]]


def read_chirps(target: Target) -> list[Request]:
    """Read chirps by their ids."""
    ids = target.chirp_ids
    return [Request("GET", f"/api/chirps/{id_}", values={"chirp_id": id_}) for id_ in ids]


def next_page(target: Target) -> list[Request]:
    """Follow the link to the second page. Raise NotOffered if there is none."""
    headers, _ = send(target.url, FIRST_PAGE, 200)
    link = NEXT_LINK.search(headers.get("Link", ""))
    if link is None:
        raise NotOffered("the list has no Link header with the next page")
    return [Request("GET", link[1].removeprefix(target.url))]


def login(author: Author) -> Request:
    """Log in one author."""
    credentials = {"email": author.email, "password": PASSWORD}
    values = {"user_id": author.id, **credentials}
    return Request("POST", "/api/login", json.dumps(credentials), values=values)


def new_events(target: Target) -> list[Request]:
    """Deliver upgrades of many users, each event with a new id."""
    return [upgrade(target, user_id, f"evt_{UNIQUE}") for user_id in target.upgraded_ids]


def repeated_events(target: Target) -> list[Request]:
    """Deliver upgrades of many users, each of which was delivered before."""
    ids = target.upgraded_ids
    events = [upgrade(target, id_, f"evt_{id_}", "repeated_id") for id_ in ids]
    for event in events:
        send(target.url, event, 204)
    return events


def upgrade(target: Target, user_id: str, event_id: str, name: str = "event_id") -> Request:
    """Deliver one event. Its id is called `name` among the values of the request."""
    if target.polka_key is None:
        raise NotOffered("its key is unknown: add --polka-key")
    data = {target.user_id_key: user_id}
    body = json.dumps({"id": event_id, "event": "user.upgraded", "data": data})
    values = {"user_id": user_id, name: event_id, "body": body}
    headers = {"Authorization": f"ApiKey {target.polka_key}"}
    return Request("POST", "/api/polka/webhooks", body, headers, values)


CASES = {
    case.name: case
    for case in (
        Case("healthz", 200, lambda _: [Request("GET", "/api/healthz")]),
        Case("one chirp", 200, read_chirps),
        Case("list 100", 200, lambda _: [FIRST_PAGE]),
        Case("list next page", 200, next_page),
        Case("new chirp", 201, lambda target: [post_chirp(author) for author in target.authors]),
        Case("login", 200, lambda target: [login(author) for author in target.authors]),
        Case("webhook new", 204, new_events),
        Case("webhook repeated", 204, repeated_events),
        Case("webhook refused", 401, lambda target: new_events(replace(target, polka_key="wrong"))),
    )
}
