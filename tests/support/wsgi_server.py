"""Serve any WSGI application from a thread, for tests of HTTP clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    """A handler that logs nothing."""

    def log(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve `app` until the end of the block; yield its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
