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
from itertools import pairwise
from secrets import token_hex
from signal import SIGCONT, SIGSTOP
from threading import Event, Thread

import pytest

from tests.conftest import a_folder
from tests.failover import cluster
from tests.failover.cluster import APIS, BALANCER, FILES, PATRONI, settings, status, wait_for
from tests.failover.machines import Machine, make_network, missing, run
from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, wait_until

MISSING = [] if os.environ.get("CI") else missing()
pytestmark = [
    pytest.mark.failover,
    pytest.mark.skipif(bool(MISSING), reason=f"missing: {', '.join(MISSING)}"),
]
TTL = int(re.findall(r"ttl: (\d+)", FILES[PATRONI])[0])  # seconds
WEBHOOKS = "http://{}:8080/api/polka/webhooks"
STORM = [
    *(sys.executable, "-m", "flask", "polka", "storm", "--verify=database", "--users=50"),
    *("--events=500", "--repeats=3", f"--to={WEBHOOKS.format(BALANCER)}"),
]
Machines = dict[str, Machine]
Act = Callable[[Machine], None]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder, logs, machines = a_folder(), tmp_path_factory.mktemp("logs"), Machines()
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


def storms_during(act: Callable[[], None]) -> str:
    """Call `act` in the middle of a storm, and make storms until it returns. Return their output.

    Each storm checks that no acknowledged event is lost or counted twice.
    """
    is_delivering, environment, output = Event(), os.environ | settings(next(iter(APIS))), ""

    def wait_and_act() -> None:
        is_delivering.wait()
        act()

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(wait_and_act)
        while not acting.done():
            with subprocess.Popen(
                STORM, cwd=PROJECT, env=environment, stdout=-1, stderr=-3, text=True
            ) as storm:
                assert storm.stdout is not None
                output += storm.stdout.readline()
                time.sleep(1)
                is_delivering.set()
                output += storm.stdout.read()
            assert output.endswith("\nno differences (--verify database)\n"), output
        acting.result()
    return output


class Probe(Thread):
    """Delivers new events to one API server, one after the other."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address, self.stopped, self.acknowledged = address, Event(), [time.monotonic()]
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            event = json.dumps({"id": token_hex(), "event": "probe", "data": {}}).encode()
            key = f"ApiKey {POLKA_KEY}"
            if status(WEBHOOKS.format(self.address), event, Authorization=key) == 204:
                self.acknowledged.append(time.monotonic())

    def longest_gap(self) -> float:
        """Return the most seconds between two acknowledgements. The last one is newer than now."""
        now = time.monotonic()
        wait_until(lambda: self.acknowledged[-1] > now)
        self.stopped.set()
        self.join()
        return max(later - earlier for earlier, later in pairwise(self.acknowledged))


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
    probes = [Probe(address) for address in APIS]

    storms_during(partial(fault, primary))

    gaps = [probe.longest_gap() for probe in probes]
    assert cluster.primary() not in {"", primary.address}
    repair(primary)
    assert max(gaps) < TTL + 8


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
    statuses = re.findall(r"^ +\d+ (\d+) ", storms_during(restart_both), re.MULTILINE)

    assert set(statuses) == {"204"}
