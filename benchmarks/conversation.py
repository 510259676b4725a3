"""A connection on which a request follows the answer to the one before."""

import re
import socket
from time import perf_counter

PATIENCE = 10  # seconds until a server counts as silent
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
HEAD_END, LAST_CHUNK = b"\r\n\r\n", b"\r\n0\r\n\r\n"
AT_ONCE = 256 * 1024  # bytes read at a time; a list of 100 chirps has 25,000


class Conversation:
    """A connection on which one request follows the answer to the other."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        """Send a request; it fits what the system buffers, so this does not wait."""
        self.received, self.asked_at = b"", perf_counter()
        self.socket.sendall(request)

    def hear(self) -> str | None:
        """Read what has arrived; returns the status once the answer is complete.

        Raises ConnectionError when the server hangs up.
        """
        piece = self.socket.recv(AT_ONCE)
        if not piece:
            raise ConnectionError
        self.received += piece
        if not complete(self.received):
            return None
        found = STATUS.match(self.received)
        return found[1].decode() if found else "none"


def complete(received: bytes) -> bool:
    """Whether an answer is there to its end."""
    head_end = received.find(HEAD_END)
    if head_end < 0:
        return False
    head = received[:head_end]
    if length := LENGTH.search(head):
        return len(received) >= head_end + len(HEAD_END) + int(length[1])
    return not CHUNKED.search(head) or received.endswith(LAST_CHUNK)
