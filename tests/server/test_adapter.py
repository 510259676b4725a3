"""What the adapter makes of a request of granian, and what it sends to it."""

import json
from collections.abc import Callable
from io import StringIO
from threading import Event
from time import monotonic, sleep
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask

from chirpy.database.deadlines import WAITS_SINCE
from chirpy.server.adapter import Adapter
from chirpy.server.environ import wsgi_environ
from chirpy.server.overload import Overload
from chirpy.server.requests import Request
from chirpy.web.ambiguous_headers import REPEATED
from tests.support.server import PROJECT, run_python, wait_until


def a_scope(*headers: tuple[bytes, bytes], path: bytes = b"/api/chirps") -> dict[str, Any]:
    """Return the scope of a request as granian makes it."""
    return {
        "http_version": "1.1",
        "server": ("127.0.0.1", "8080"),
        "client": ("127.0.0.2", "40000"),
        "method": "GET",
        "raw_path": path,
        "query_string": b"sort=asc",
        "headers": headers,
    }


def test_environ_has_the_bytes_of_the_path_and_joined_headers() -> None:
    headers = (
        (b"content-length", b"5"),
        (b"content_length", b"6"),
        (b"x-a", b"1"),
        (b"x-a", b"\xe9"),
    )

    environ = wsgi_environ(a_scope(*headers, path=b"//%C3%A9/%2f%ff"))

    assert environ["PATH_INFO"].encode("latin-1") == b"//\xc3\xa9//\xff"
    assert (environ["QUERY_STRING"], environ["REMOTE_ADDR"]) == ("sort=asc", "127.0.0.2")
    assert (environ["CONTENT_LENGTH"], environ["HTTP_X_A"]) == ("5", "1,é")
    assert environ[REPEATED] == ["x-a"]


@pytest.mark.parametrize(("accept", "key"), [("json", "error"), ("problem+json", "detail")])
def test_refusal_under_overload_is_like_other_errors(
    app: Flask, log: StringIO, accept: str, key: str
) -> None:
    sent: list[dict[str, Any]] = []
    counted: list[str] = []
    headers = ((b"x-request-id", b"me"), (b"accept", f"application/{accept}".encode()))

    Overload(app, lambda method, _: counted.append(method)).refuse(
        Request(a_scope(*headers), sent.append)
    )

    start, end = sent
    assert counted == ["GET"]
    answered = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    assert start["status"] == 503
    assert {key, "hint"} <= json.loads(end["body"]).keys()
    assert (answered["content-type"], answered["vary"]) == (f"application/{accept}", "Accept")
    assert (answered["retry-after"], answered["x-request-id"]) == ("1", "me")
    assert answered["x-content-type-options"] == "nosniff"
    line = json.loads(log.getvalue())
    assert (line["path"], line["status"], line["request_id"]) == ("/api/chirps", 503, "me")


@pytest.mark.parametrize("path", [b"/api/login", b"/api/users"])
def test_requests_that_wait_to_hash_a_password_take_no_thread_from_others(
    app: Flask, path: bytes
) -> None:
    turn, answered, waited = Event(), Event(), list[float]()

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        if environ["PATH_INFO"] == path.decode():
            turn.wait()
            waited.append(monotonic() - environ[WAITS_SINCE])
        else:
            answered.set()
        start_response("200 OK", [])
        return []

    adapter = Adapter(application, 2, Overload(app))
    for each in [path] * 100 + [b"/api/chirps"]:
        adapter(a_scope(path=each), Mock(), Mock())

    assert answered.wait(10)
    sleep(0.2)
    turn.set()
    wait_until(lambda: len(waited) == 100)
    assert min(waited) >= 0.2  # counted from the beginning, for the deadline of the request


def test_limit_of_open_files_is_raised_for_the_connections() -> None:
    code = (
        "import resource as r; from chirpy.server.workers import possible_connections;"
        "r.setrlimit(r.RLIMIT_NOFILE, (256, {hard}));"
        "print(possible_connections(), r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )

    printed = [run_python(PROJECT, "-c", code.format(hard=hard)).stdout for hard in (1000, 300)]

    assert printed == ["800 1000\n", "100 300\n"]


def test_import_of_the_loader_applies_the_workarounds_in_spawned_workers() -> None:
    code = (
        "import chirpy.server.workers; from granian import _futures, _signals;"
        "print(_futures._cbsched_aioschedule.__module__, _signals.set_loop_signals.__module__)"
    )

    printed = run_python(PROJECT, "-c", code).stdout

    assert printed.split() == ["chirpy.server.granian_fixes", "chirpy.server.granian_signals"]
