"""What Polka says: events, as the bytes that are sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is sent, each time in the same bytes; `event_id` is None if it has no id."""

    event_id: str | None
    body: bytes


def compose(
    event: str,
    user_id: str,
    event_id: str = "",
    timestamp: str = "",
    places: Iterable[tuple[str, Any]] = (),
) -> Message:
    """Write an event down. A blank id or timestamp is left out: without both, the course's form.

    `places` are set last: dotted paths such as `data.plan`, each with a JSON value.
    """
    given = {"id": event_id, "event": event, "timestamp": timestamp}
    said: dict[str, Any] = {name: text for name, text in given.items() if text or name == "event"}
    said["data"] = {"user_id": user_id}
    for path, value in places:
        put(said, path, value)
    return Message(event_id or None, json.dumps(said).encode())


def put(said: dict[str, Any], path: str, value: Any) -> None:
    """Set the place at `path`, making objects on the way to it."""
    *way, name = path.split(".")
    for step in way:
        if not isinstance(said.get(step), dict):
            said[step] = {}
        said = said[step]
    said[name] = value


def new_id() -> str:
    """An id that no event has had."""
    return f"evt_{uuid4().hex}"
