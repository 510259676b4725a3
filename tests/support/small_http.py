"""What the small Chirpy in memory needs of HTTP."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from werkzeug import Request, Response

Json = dict[str, Any]


def route(app: object, routes: Iterable[tuple[str, str, str]], request: Request) -> Response:
    """Answer by the first view that has the method and the path."""
    paths = [(m, re.fullmatch(path, request.path), view) for m, path, view in routes]
    for method, found, view in paths:
        if found and method == request.method:
            answer = getattr(app, view)(request, *found.groups())
            return answer if isinstance(answer, Response) else respond(*answer)
    return Response(status=405 if any(found for _, found, _ in paths) else 404)


def new_row() -> Json:
    now = datetime.now(UTC).isoformat()
    return {"id": str(uuid4()), "created_at": now, "updated_at": now}


def bearer(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def error(status: int, text: str = "Refused") -> tuple[int, Json]:
    return status, {"error": text}


def respond(status: int, content: Any) -> Response:
    body = b"" if content is None and status == 204 else json.dumps(content)
    return Response(body, status, content_type="application/json")
