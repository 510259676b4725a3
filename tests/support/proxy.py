"""A TCP proxy before Postgres that can hold what is sent in each direction, and cut connections."""

import re
import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Self


class Proxy:
    """Forwards connections to the Unix socket at `target`. Use it in a `with` block.

    While `requests` or `answers` is cleared, the proxy reads and acknowledges what comes from that
    side, and keeps it: of requests, only what has `pattern` in it, and what follows. `held` has the
    sockets from which it keeps something.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.requests, self.answers = Event(), Event()
        self.pattern = re.compile(b"")
        self.held: set[socket.socket] = set()
        self.links: list[tuple[socket.socket, socket.socket]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def __enter__(self) -> Self:
        self.pass_all()
        self.thread = Thread(target=self.accept)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        self.cut()
        self.pass_all()

    def pass_all(self) -> None:
        """Forward what was kept, and all that follows."""
        self.pattern = re.compile(b"")
        self.requests.set()
        self.answers.set()

    def silence(self) -> None:
        """Accept connections and bytes, and answer nothing."""
        self.requests.clear()
        self.answers.clear()

    def cut(self) -> None:
        """Close all connections to both sides, and lose what was kept."""
        for link in list(self.links):
            close(*link)

    def accept(self) -> None:
        with suppress(OSError):  # the end
            while True:
                client, _ = self.listener.accept()
                Thread(target=self.link, args=(client,)).start()

    def link(self, client: socket.socket) -> None:
        """Connect a client to the target, until one of them closes."""
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self.target)
            self.links.append(link := (client, server))
            answers = Thread(target=self.forward, args=(server, client, self.answers))
            answers.start()
            self.forward(client, server, self.requests)
            answers.join()
            self.links.remove(link)

    def forward(self, source: socket.socket, to: socket.socket, gate: Event) -> None:
        """Send to one side what the other sends, while the gate is open."""
        with suppress(OSError):
            while data := source.recv(65536):
                if not gate.is_set() and (gate is self.answers or self.pattern.search(data)):
                    self.held.add(source)
                    gate.wait()
                    self.held.discard(source)
                to.sendall(data)
        close(source, to)


def close(*sockets: socket.socket) -> None:
    """Close connections while other threads wait for them."""
    for connection in sockets:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
