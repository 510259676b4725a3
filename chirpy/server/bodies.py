"""Receive the body of a request, within a limit of time and of size."""

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from chirpy.web.awaited_bodies import LATE, TRUNCATED
from chirpy.web.request_body import BODY_LIMIT

BODY_TIMEOUT = 10  # seconds for the whole body

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def receive_body(receive: Receive, length: int | None) -> Any:
    """Return the body as a stream: whole, or one byte more than the limit. The rest stays unread.

    The stream raises an exception if the client closes the connection early or sends too slowly.
    """
    remaining = BODY_LIMIT + 1 if length is None else length
    parts = []
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while remaining > 0:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return TRUNCATED
                parts.append(message["body"])
                remaining -= len(parts[-1])
                if not message["more_body"]:
                    break
    except TimeoutError:
        return LATE
    return BytesIO(b"".join(parts))
