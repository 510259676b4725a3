"""Machines: each a network namespace with an address of its own on one bridge, and processes."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, Signals

from tests.support.server import wait_until

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
PROGRAMS = (
    *("ip", "nsenter", "setpriv", "psql"),
    *("etcd", "patroni", "patronictl", "haproxy", "pgbouncer"),
)
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=Path("postgres"))
BRIDGE, NETWORK = "machines", "10.0.0."
NOT_ROOT = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


def missing() -> list[str]:
    """Return the names of what the machines need and this system lacks."""
    missing = [name for name in (*PROGRAMS, str(POSTGRES)) if not shutil.which(name, path=PATH)]
    if {name for _, name in socket.if_nameindex()} - {"lo", BRIDGE}:
        missing.append("a network of its own (unshare --net)")
    return missing


def run(*command: object) -> None:
    """Run a program, and raise CalledProcessError if it fails."""
    subprocess.run([*map(str, command)], check=True, env={"PATH": PATH}, stdout=subprocess.DEVNULL)


def make_network() -> None:
    """Make the bridge. This process has its first address."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{NETWORK}1/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


class Machine:
    """A machine at `address`. Its files are in `folder`, its output is in `logs`."""

    def __init__(self, address: str, folder: Path, logs: Path) -> None:
        self.address, self.log, self.folder = address, logs / address, folder / address
        self.folder.mkdir()
        self.process = self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        path, own = Path(f"/proc/{self.holder.pid}/ns/net"), Path("/proc/self/ns/net").readlink()
        wait_until(lambda: path.readlink() != own)
        self.network, inside = path.readlink(), ("nsenter", f"--net={path}")
        self.command, self.environment = [*inside], os.environ | {"PATH": PATH}
        self.port = f"port{address.removeprefix(NETWORK)}"  # of the bridge
        peer = ("peer", "name", "eth0", "netns", self.holder.pid)
        run("ip", "link", "add", self.port, "type", "veth", *peer)
        run("ip", "link", "set", self.port, "master", BRIDGE, "up")
        run(*inside, "ip", "address", "add", f"{address}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        run(*inside, "ip", "link", "set", "lo", "up")

    def use(self, *command: object, env: Mapping[str, str] = {}, as_root: bool = False) -> None:
        """Start a process, as another user than root, whom Postgres and PgBouncer refuse."""
        if os.geteuid() == 0 and not as_root:
            self.command += NOT_ROOT
            shutil.chown(self.folder, "nobody")
        self.command += map(str, command)
        self.environment |= {"HOME": str(self.folder), **env}
        self.start()

    def start(self) -> None:
        """Start the process of `use` again."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def signal(self, number: Signals) -> None:
        """Send a signal to all processes of the machine."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_here = (process / "ns/net").readlink() == self.network
                if is_here and int(process.name) != self.holder.pid:
                    os.kill(int(process.name), number)

    def kill(self) -> None:
        """Kill all processes of the machine."""
        self.signal(SIGKILL)
        self.process.wait()

    def cut_off(self) -> None:
        """Drop all packets from and to the machine. Nobody is told."""
        run("ip", "link", "set", self.port, "nomaster")

    def reconnect(self) -> None:
        """Undo `cut_off`."""
        run("ip", "link", "set", self.port, "master", BRIDGE)

    def destroy(self) -> None:
        """Kill all, and with it the network."""
        self.holder.kill()
        self.holder.wait()
        self.kill()
