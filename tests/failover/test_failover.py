"""The primary fails in a storm, or the API servers restart: nothing is lost, and writes go on."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import token_hex
from signal import SIGCONT, SIGSTOP
from threading import Event

import pytest

from tests.conftest import a_folder
from tests.failover import cluster
from tests.failover.cluster import APIS, BALANCER, FILES, PATRONI, settings, status, wait_for
from tests.failover.machines import Machine, make_network, missing, run
from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, wait_until

MISSING = ", ".join(missing())
IS_SKIPPED = bool(MISSING) and not os.environ.get("CI")
pytestmark = [
    pytest.mark.failover,
    pytest.mark.skipif(IS_SKIPPED, reason=f"missing: {MISSING}"),
]
TTL = int(re.findall(r"ttl: (\d+)", FILES[PATRONI])[0])  # seconds
WEBHOOKS = "http://{}:8080/api/polka/webhooks"
STORM = [
    *(sys.executable, "-m", "flask", "polka", "storm", "--verify=database", "--users=50"),
    *("--events=500", "--repeats=3", f"--to={WEBHOOKS.format(BALANCER)}"),
]
NO_PRIMARY = "\nNext: wait until one of the hosts takes writes, or promote one\n"
Machines = dict[str, Machine]
Act = Callable[[Machine], None]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder, logs, machines = a_folder(), tmp_path_factory.mktemp("logs"), Machines()
    assert not MISSING
    make_network()
    try:
        for address in cluster.ADDRESSES:
            machines[address] = Machine(address, folder, logs)
        cluster.start(machines)
        yield machines
    finally:
        for machine in machines.values():
            machine.destroy()
        shutil.rmtree(folder)


def run_storm(is_delivering: Event) -> str:
    """Return the output of a storm, after the check that nothing is lost or counted twice.

    It is empty if no host took writes when the storm began.
    """
    variables = os.environ | settings(next(iter(APIS)))
    with subprocess.Popen(
        STORM,
        cwd=PROJECT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as storm:
        assert storm.stdout is not None
        output = storm.stdout.readline()
        time.sleep(1)
        is_delivering.set()
        output += storm.stdout.read()
    if output.endswith(NO_PRIMARY):
        return ""
    assert output.endswith("\nno differences (--verify database)\n"), output
    return output


def longest_gap(address: str, is_over: Event) -> float:
    """Deliver events until one is acknowledged after the end. Return the longest wait (s)."""
    longest, last = 0.0, time.monotonic()
    while True:
        is_last, event = is_over.is_set(), json.dumps({"id": token_hex(), "event": "x", "data": {}})
        if (
            status(WEBHOOKS.format(address), event.encode(), Authorization=f"ApiKey {POLKA_KEY}")
            == 204
        ):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            if is_last:
                return longest
        assert time.monotonic() < last + 60, f"{address} acknowledges nothing any more"
        time.sleep(0.1)


def storms_during(act: Callable[[], None]) -> tuple[str, float]:
    """Call `act` in the middle of a storm, and make storms until it returns.

    Return their output, and the most seconds in which an API server has acknowledged nothing.
    """
    is_delivering, is_over = Event(), Event()

    def wait_and_act() -> None:
        is_delivering.wait()
        act()

    with ThreadPoolExecutor() as pool:
        acting = pool.submit(wait_and_act)
        gaps = [pool.submit(longest_gap, address, is_over) for address in APIS]
        try:
            output = run_storm(is_delivering)
            assert output
            while not acting.done():
                output += run_storm(is_delivering)
        finally:
            is_delivering.set()
            is_over.set()
    acting.result()
    return output, max(gap.result() for gap in gaps)


def switch_over(primary: Machine) -> None:
    run("patronictl", "-c", primary.folder / "config.yml", "switchover", "--force")


PAUSE, RESUME = (partial(Machine.signal, number=number) for number in (SIGSTOP, SIGCONT))
FAULTS = {
    "switched over": (switch_over, RESUME),  # this has no effect
    "killed": (Machine.kill, Machine.start),
    "stopped": (PAUSE, RESUME),
    "cut off": (Machine.cut_off, Machine.reconnect),
}


@pytest.mark.parametrize(("fault", "repair"), FAULTS.values(), ids=FAULTS)
def test_primary_is_replaced_in_time_and_no_acknowledged_event_is_lost(
    machines: Machines, fault: Act, repair: Act
) -> None:
    wait_until(cluster.has_standby)
    primary = machines[cluster.primary()]

    _, gap = storms_during(partial(fault, primary))

    assert cluster.primary() not in {"", primary.address}
    repair(primary)
    assert gap < TTL + 8


def test_api_servers_restarted_in_turn_fail_no_delivery(machines: Machines) -> None:
    def restart_both() -> None:
        for address in APIS:
            machine = machines[address]
            machine.process.terminate()
            assert machine.process.wait() == 0
            machine.start()
            wait_for(f"http://{address}:8080/api/readyz")
            time.sleep(2)  # until HAProxy has noticed

    wait_until(cluster.has_standby)
    output, _ = storms_during(restart_both)

    assert set(re.findall(r"^ +\d+ (\d+) ", output, re.MULTILINE)) == {"204"}
