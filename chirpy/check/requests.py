"""One request, and the `curl` line that sends the same."""

import json
import shlex
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request to a whole URL, with its body as it is sent."""

    method: str
    url: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The path with the query."""
        return "/" + self.url.split("/", 3)[3]

    @property
    def curl(self) -> str:
        """A line for bash that sends this request and shows the whole answer."""
        options = {"GET": [], "HEAD": ["--head"]}.get(self.method, ["-X", self.method])
        words = ["curl", "-i", *options, self.url]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {value}"]
        if self.body is not None:
            words += ["-d", self.body.decode()]
        return shlex.join(words)


def encode(content: Any) -> bytes | None:
    """Return the body for `content`: bytes and None as they are, anything else as JSON."""
    return (
        content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
    )
