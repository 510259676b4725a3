"""What is measured: a deck of requests for each case, dealt round and round."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.asking import UNIQUE, Ask
from benchmarks.scene import PAGE, Scene, credentials, saying, written

NEXT = re.compile(r'<([^>]+)>; rel="?next"?')
FIRST_PAGE = Ask("GET", f"/api/chirps?limit={PAGE}")
WEBHOOKS = "/api/polka/webhooks"
KNOWN = "evt_of_"  # starts the ids of events that came before

Deck = Sequence[Ask]


class NotOffered(Exception):
    """The server that is measured has nothing like it; the text says what is missing."""


@dataclass(frozen=True)
class Case:
    """One kind of request, and the status that each must be answered with."""

    name: str
    status: int
    deck: Callable[[Scene], Deck]
    asks_database: bool = True


def health(_: Scene) -> Deck:
    """Whether the process lives."""
    return [Ask("GET", "/api/healthz")]


def one_chirp(scene: Scene) -> Deck:
    """Chirps by their ids."""
    return [
        Ask("GET", f"/api/chirps/{chirp}", {}, "", {"chirp_id": chirp}) for chirp in scene.chirps
    ]


def first_page(_: Scene) -> Deck:
    """The oldest chirps."""
    return [FIRST_PAGE]


def next_page(scene: Scene) -> Deck:
    """The page to which the first one leads."""
    for _ in range(2):
        link = scene.caller.ask(FIRST_PAGE).headers.get("Link", "")
        if found := NEXT.search(link):
            return [Ask("GET", found[1].removeprefix(scene.caller.url))]
        scene.post(PAGE)  # there may have been no second page yet
    raise NotOffered("no Link to a next page")


def new_chirp(scene: Scene) -> Deck:
    """Chirps of all authors."""
    said = saying(0)
    return [
        Ask(
            "POST",
            "/api/chirps",
            {"Authorization": f"Bearer {author.token}"},
            written({"body": said}),
            {"user_id": author.id, "body": said},
        )
        for author in scene.authors
    ]


def login(scene: Scene) -> Deck:
    """Logins of all authors."""
    return [
        Ask(
            "POST",
            "/api/login",
            {},
            written(credentials(author.email)),
            {"user_id": author.id, "email": author.email},
        )
        for author in scene.authors
    ]


def new_event(scene: Scene) -> Deck:
    """Upgrades, each with an id that never came before, of many users."""
    return [upgrade(scene, user_id, event_id=f"evt_{UNIQUE}") for user_id in scene.red]


def known_event(scene: Scene) -> Deck:
    """Upgrades of many users that all came before."""
    deck = [upgrade(scene, user_id, known_id=f"{KNOWN}{user_id}") for user_id in scene.red]
    for request in deck:
        scene.caller.ask(request)
    return deck


def refused_event(scene: Scene) -> Deck:
    """An upgrade with the wrong key."""
    request = upgrade(scene, scene.red[0], event_id="evt_refused")
    return [replace(request, headers={"Authorization": "ApiKey not-the-key"})]


def upgrade(scene: Scene, user_id: str, **named: str) -> Ask:
    """One delivery, with the id that `named` holds. Raises NotOffered when nobody told the key."""
    if scene.polka_key is None:
        raise NotOffered("no --polka-key")
    [event_id] = named.values()
    body = written({"id": event_id, "event": "user.upgraded", "data": scene.about(user_id)})
    speaks_of = {"user_id": user_id, "body": body, **named}
    return Ask("POST", WEBHOOKS, {"Authorization": f"ApiKey {scene.polka_key}"}, body, speaks_of)


CASES = (
    Case("healthz", 200, health, asks_database=False),
    Case("one chirp", 200, one_chirp),
    Case("list 100", 200, first_page),
    Case("list next page", 200, next_page),
    Case("new chirp", 201, new_chirp),
    Case("login", 200, login),
    Case("webhook new", 204, new_event),
    Case("webhook repeated", 204, known_event),
    Case("webhook refused", 401, refused_event, asks_database=False),
)
BY_NAME = {case.name: case for case in CASES}
