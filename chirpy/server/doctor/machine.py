"""Examine what the machine provides: the ports, and the clock."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

from chirpy.database.migration_state import MIGRATIONS
from chirpy.server.doctor.findings import NOTE, Finding, problem, split_step
from chirpy.server.doctor.origins import Examined
from chirpy.server.doctor.settings import next_step
from chirpy.server.doctor.systems import on_this_system
from chirpy.server.port import PortUnavailable, reserve_port

YOURS = "nothing, if it is yours; otherwise "
LIMIT = 2  # seconds for a server that uses the port
BEGINNINGS = (b"OK", b'{"error":', b"# HELP chirpy_")  # of what a Chirpy answers, or its metrics
SYNCHRONIZE = ("sudo timedatectl set-ntp true", "sudo sntp -sS time.apple.com", "sudo hwclock -s")


def examine_ports(examined: Examined) -> Iterator[Finding]:
    """Find whether Chirpy can listen on its ports."""
    with ExitStack() as reservations:  # until the end: the two may be one
        yield examine_port(examined, reservations)
        if examined.settings().metrics_port:
            yield examine_port(examined, reservations, "METRICS_")


def examine_port(examined: Examined, reservations: ExitStack, of: str = "") -> Finding:
    """Reserve a port, or find why that is not possible: a note if a Chirpy listens already."""
    settings, prefix = examined.settings(), of.lower()
    host, port = getattr(settings, f"{prefix}host"), getattr(settings, f"{prefix}port")
    subject, where = f"{prefix}port".replace("_", " "), f"{host} port {port}"
    try:
        reservations.enter_context(reserve_port(host, port, of))
    except PortUnavailable as error:
        text, step = split_step(str(error))
        if is_chirpy(host, port):
            text = f"a Chirpy serves on {where} already"
            return Finding(subject, text, NOTE, (f"{YOURS}{step}",))
        if "HOST" in step:
            command = next_step(examined.origin(f"{of}HOST"), examined)
        else:
            command = f"to see what uses it: {find_user_of(port)}"
        return problem(subject, text, step, command)
    return Finding(subject, f"{where} is free")


def find_user_of(port: int) -> str:
    """Return the command that shows which program listens on a port."""
    linux = f"sudo ss -ltnp 'sport = :{port}'"
    macos = f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN"
    # A program of Windows can have it too.
    return on_this_system(linux, macos, f"{linux}; netstat.exe -ano | grep ':{port} '")


def is_chirpy(host: str, port: int) -> bool:
    """Return whether this Chirpy or its metrics answer. One made in the course has no readyz."""
    name = host if host.strip("0.:") else "localhost"
    with suppress(OSError, HTTPException), closing(HTTPConnection(name, port, LIMIT)) as server:
        server.request("GET", "/api/readyz")
        answer = server.getresponse()
        text = answer.read(1000)  # another server may send without end
        return answer.status in {200, 503} and text.startswith(BEGINNINGS)
    return False


def examine_clock() -> Iterator[Finding]:
    """Find a clock that was reset, as by an empty battery: earlier than the files of Chirpy."""
    written = max(path.stat().st_mtime for path in MIGRATIONS.rglob("*.py"))
    now = f"{datetime.fromtimestamp(time.time(), UTC):%Y-%m-%d %H:%M:%S} UTC"
    if time.time() < written:
        text = f"{now} is before Chirpy's files were written"
        yield problem("clock", text, on_this_system(*SYNCHRONIZE))
    else:
        yield Finding("clock", now)
