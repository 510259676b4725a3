"""Two stop signals, one directly after the other, stop the server as one does."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import product

import pytest

from tests.support.server import PROJECT, STOP_TIMEOUT

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SERVERS = 30


@pytest.mark.faults
@pytest.mark.parametrize(
    ("first", "second"), list(product(STOPS, STOPS)), ids=lambda stop: stop.name
)
def test_every_pair_of_signals_stops_the_server(
    first: signal.Signals, second: signal.Signals
) -> None:
    command = [sys.executable, "-m", "tests.support.stoppable_servers", str(SERVERS)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as servers:
        assert servers.stdout
        started = [int(servers.stdout.readline()) for _ in range(SERVERS)]
        for process in started:
            os.kill(process, first)
            os.kill(process, second)
        try:
            output, _ = servers.communicate(timeout=STOP_TIMEOUT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(servers.pid, signal.SIGKILL)

    assert sorted(output.splitlines()) == sorted(f"{process} 0" for process in started)
