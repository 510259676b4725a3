"""Reserve the port first, so that only one of two concurrent starts continues."""

import errno
import socket
from typing import Any

NEXT_STEPS = {
    errno.EADDRINUSE: "stop the program that uses it, or choose another: {of}PORT={other} make run",
    errno.EACCES: "choose a port above 1023, which every user can open: {of}PORT={high} make run",
}


class PortUnavailable(Exception):
    """The port cannot be used. The text says why and what to do next."""


def reserve_port(host: str, port: int, of: str = "") -> socket.socket:
    """Return a socket that reserves the port until it is closed. Raise PortUnavailable.

    The settings are HOST and PORT with the prefix `of`, such as METRICS_.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return bind(socket.socket(family), address)
    except (OSError, UnicodeError) as error:  # UnicodeError: not a host name
        other = port + 1 if port < 65535 else port - 1
        step = NEXT_STEPS.get(getattr(error, "errno", 0), "correct {of}HOST")
        problem = f"Chirpy cannot listen on {host} port {port}: {getattr(error, 'strerror', error)}"
        step = step.format(of=of, other=other, high=8000 + port % 1000)
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
