"""Translate a request from ASGI to WSGI (PEP 3333)."""

import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from chirpy.web.ambiguous_headers import REPEATED

SAME_IN_ALL = {
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,  # the input ends where the body ends
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
}


def wsgi_environ(scope: dict[str, Any]) -> dict[str, Any]:
    """Return the environ of a request, still without its body.

    The values of a repeated header are joined by commas, as RFC 9110 (5.2) says. A header with an
    underscore is dropped: `Content_Length` would become the same variable as `Content-Length`.
    """
    path: bytes = scope["raw_path"]
    environ: dict[str, Any] = SAME_IN_ALL | {
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": scope["server"][1],
        "REMOTE_ADDR": scope["client"][0],
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        REPEATED: [],
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            add_header(environ, name, value.decode("latin-1"))
    return environ


def add_header(environ: dict[str, Any], name: bytes, value: str) -> None:
    """Add a header to the environ, and its name to the repeated ones if it is there already."""
    key = variable_of(name)
    if key in environ:
        environ[REPEATED].append(name.decode("latin-1"))
        value = f"{environ[key]},{value}"
    environ[key] = value


@lru_cache(256)
def variable_of(header: bytes) -> str:
    """Return the name of a header in the environ."""
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{name}"
