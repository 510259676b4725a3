"""Reserve the port first, so that only one of two concurrent starts continues."""

import errno
import socket
from typing import Any

NEXT_STEPS = {
    errno.EADDRINUSE: "stop the program that uses it, or choose another: PORT={other} make run",
    errno.EACCES: "choose a port above 1023, which every user can open: PORT=8080 make run",
}


class PortUnavailable(Exception):
    """The port cannot be used. The text says why and what to do next."""


def reserve_port(host: str, port: int) -> socket.socket:
    """Return a socket that reserves the port until it is closed. Raise PortUnavailable."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return bind(socket.socket(family), address)
    except (OSError, UnicodeError) as error:  # UnicodeError: not a host name
        other = port + 1 if port < 65535 else port - 1
        step = NEXT_STEPS.get(getattr(error, "errno", 0), "correct HOST").format(other=other)
        problem = f"Chirpy cannot listen on {host} port {port}: {getattr(error, 'strerror', error)}"
        raise PortUnavailable(f"{problem}.\nNext: {step}") from None


def bind(reservation: socket.socket, address: Any) -> socket.socket:
    """Bind exclusively, which fails if another socket listens. Then let the workers bind too."""
    try:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(address)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        reservation.close()
        raise
    return reservation
