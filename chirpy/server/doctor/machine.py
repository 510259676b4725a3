"""Examine what the machine provides: the ports, and the clock."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

from chirpy.database.migration_state import MIGRATIONS
from chirpy.server.doctor.findings import NOTE, Finding, problem
from chirpy.server.doctor.systems import on_this_system
from chirpy.server.port import PortUnavailable, reserve_port
from chirpy.settings import Settings

LIMIT = 2  # seconds for a server that uses the port
SYNCHRONIZE = ("sudo timedatectl set-ntp true", "sudo sntp -sS time.apple.com", "sudo hwclock -s")


def examine_ports(settings: Settings) -> Iterator[Finding]:
    """Find whether Chirpy can listen on its ports."""
    with ExitStack() as reservations:  # until the end: the two may be one
        yield examine_port(reservations, settings.host, settings.port)
        if settings.metrics_port:
            yield examine_port(
                reservations, settings.metrics_host, settings.metrics_port, "METRICS_"
            )


def examine_port(reservations: ExitStack, host: str, port: int, of: str = "") -> Finding:
    """Reserve a port, or find why that is not possible: a note if a Chirpy listens already."""
    subject, where = f"{of}PORT".lower().replace("_", " "), f"{host} port {port}"
    try:
        reservations.enter_context(reserve_port(host, port, of))
    except PortUnavailable as error:
        text, _, step = str(error).partition("\nNext: ")
        if is_chirpy(host, port):
            return Finding(subject, f"a Chirpy serves on {where} already", NOTE, (step,))
        who = on_this_system(
            f"sudo ss -ltnp 'sport = :{port}'",
            f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN",
            f"sudo ss -ltnp 'sport = :{port}'; netstat.exe -ano | grep ':{port} '",
        )
        return problem(subject, text.rstrip("."), step, f"to see what uses it: {who}")
    return Finding(subject, f"{where} is free")


def is_chirpy(host: str, port: int) -> bool:
    """Return whether this Chirpy or its metrics answer. One made in the course has no readyz."""
    name = host if host.strip("0.:") else "localhost"
    with suppress(OSError, HTTPException), closing(HTTPConnection(name, port, LIMIT)) as server:
        server.request("GET", "/api/readyz")
        answer = server.getresponse()
        is_ours = answer.getheader("Content-Security-Policy") or b"# HELP chirpy_" in answer.read()
        return answer.status in {200, 503} and bool(is_ours)
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
