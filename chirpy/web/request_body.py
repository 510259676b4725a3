"""Read a request's body, whole and within a limit: 413 if it is too large, 400 if it is truncated.

This works around two packages. Werkzeug 3.1.9 truncates a chunked body at `max_content_length`
without an error (LimitedStream.readall, https://github.com/pallets/werkzeug/pull/2620), and
granian 2.8.7 passes on a body that is shorter than its Content-Length.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected

from chirpy.web.refused import Refused
from chirpy.web.strict_json import parse

BODY_LIMIT = 64 * 1024  # bytes; a chirp has 140 characters, a webhook a few hundred
BODY_READ = "chirpy.body_read"  # in the environ: who has read the body, "server" or "view"


class BodyTooLarge(Refused):
    """The request body is larger than BODY_LIMIT."""

    status = 413
    error = f"The request body is larger than {BODY_LIMIT} bytes"
    hint = f"Send at most {BODY_LIMIT} bytes"


class BodyTimeout(Refused):
    """The request body did not arrive within the time limit."""

    status = 408
    error = "The request body did not arrive in time"
    hint = "Send the request again"


class BodyTruncated(Refused):
    """The request body ended before its last byte arrived."""

    status = 400
    error = "The request body ended before it was complete"
    hint = "Send the request again"


def read_json(request: Request) -> Any:
    """Return the JSON value in the body, the Content-Type is ignored. Raise Refused (400–413).

    curl sends a form's Content-Type unless it is given another.
    """
    return parse(read_body(request))


def read_body(request: Request) -> bytes:
    """Return all bytes of the body.

    Raise BodyTooLarge (413), BodyTimeout (408), or BodyTruncated (400) when the client closed the
    connection early; or BodyAwaited, which the server handles.
    """
    length = request.content_length
    if length is not None and length > BODY_LIMIT:
        raise BodyTooLarge
    # A body that the server has read needs no limit, which takes 5 µs.
    is_read = request.environ.setdefault(BODY_READ, "view") == "server"
    stream = request.environ["wsgi.input"] if is_read else request.stream
    try:
        body = b"".join(read_chunks(stream))
    except TimeoutError as error:
        raise BodyTimeout from error
    except (OSError, ClientDisconnected) as error:
        raise BodyTruncated from error
    if len(body) > BODY_LIMIT:
        raise BodyTooLarge
    if length is not None and len(body) < length:
        raise BodyTruncated
    return body


def read_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what arrives of a body until it ends or exceeds the limit."""
    remaining = BODY_LIMIT + 1
    while remaining and (chunk := stream.read(remaining)):
        remaining -= len(chunk)
        yield chunk


def discard_body(environ: dict[str, Any]) -> None:
    """Read the body of an answered request up to the limit, if nothing has read it yet.

    An unread body makes the server close the connection, and the client's next request is lost. A
    client that sent `Expect` waits for permission to send the body, and the response refuses it.
    Chirpy's own server marks the body as read, and does this without a thread.
    """
    has_length = environ.get("CONTENT_LENGTH", "0") not in {"", "0"}
    has_body = has_length or "HTTP_TRANSFER_ENCODING" in environ
    if not has_body or BODY_READ in environ or "HTTP_EXPECT" in environ:
        return
    request = Request(environ)
    if (request.content_length or 0) <= BODY_LIMIT:
        with suppress(OSError, ClientDisconnected):
            deque(read_chunks(request.stream), maxlen=0)
