"""The ways in which a client sends a body."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

BODY_LIMIT = 64 * 1024  # bytes
BodySender = Callable[[bytes], dict[str, Any]]  # returns the client's arguments that send a body


def with_length(body: bytes) -> dict[str, Any]:
    """Send the body with its Content-Length."""
    return {"data": body}


def with_wrong_length(length: int) -> BodySender:
    """Send the body with another Content-Length than its own, as granian passes it on."""
    overrides = {"CONTENT_LENGTH": str(length), "wsgi.input_terminated": True}
    return lambda body: {"input_stream": BytesIO(body), "environ_overrides": overrides}


def chunked(body: bytes) -> dict[str, Any]:
    """Send the body in chunks, as the server passes them on."""
    return {
        "input_stream": BytesIO(body),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    }


def chunked_and_truncated(body: bytes) -> dict[str, Any]:
    """Send the body in chunks, and close the connection before the last chunk."""
    return chunked(body) | {"input_stream": TruncatedStream(body)}


class TruncatedStream(BytesIO):
    """Raises an error where another stream would end."""

    def read(self, size: int | None = -1) -> bytes:
        if chunk := super().read(size):
            return chunk
        raise ConnectionResetError
