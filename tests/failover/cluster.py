"""The cluster of docs/operations.md. Its programs run with the files of that page."""

import re
import subprocess
import sys
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from dotenv import dotenv_values

from tests.failover.machines import POSTGRES, Machine
from tests.support.server import NO_SETTINGS, PROJECT, SECRETS, wait_until

PAGE = (PROJECT / "docs/operations.md").read_text() + (PROJECT / "docs/deploying.md").read_text()
FILES = dict(re.findall(r"^```\w+\n# (/etc/\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SQL = "".join(re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
ETCD, PATRONI, HAPROXY = "/etc/default/etcd", "/etc/patroni/config.yml", "/etc/haproxy/haproxy.cfg"
PGBOUNCER, PASSWORDS = "/etc/pgbouncer/pgbouncer.ini", "/etc/pgbouncer/userlist.txt"
DATABASES, BALANCER, POOL, STORE = ("10.0.0.11", "10.0.0.12"), "10.0.0.10", "10.0.0.30", "10.0.0.31"
# One API server knows both databases, the other one has PgBouncer before the primary.
APIS = {"10.0.0.21": "/etc/chirpy.env", "10.0.0.22": "/etc/chirpy-pgbouncer.env"}
ADDRESSES = (BALANCER, *DATABASES, *APIS, POOL, STORE)


def status(url: str, body: bytes | None = None, **headers: str) -> int:
    """Return the status of the answer to a GET, or to a POST of `body`; 0 if there is none."""
    try:
        with urlopen(Request(url, body, headers), timeout=8 if body else 2) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (OSError, HTTPException):
        return 0


def wait_for(url: str) -> None:
    """Wait until the answer is 200."""
    wait_until(lambda: status(url) == 200)


def primary() -> str:
    """Return the address of the primary; empty if there is none."""
    return next((a for a in DATABASES if status(f"http://{a}:8008/primary") == 200), "")


def has_standby() -> bool:
    """Return whether the primary has a synchronous standby."""
    return 200 in [status(f"http://{address}:8008/sync") for address in DATABASES]


def variables(name: str) -> dict[str, str]:
    """Return what a file of the page sets."""
    return {key: value or "" for key, value in dotenv_values(stream=StringIO(FILES[name])).items()}


def settings(address: str) -> dict[str, str]:
    """Return the settings of an API server. Only DB_URL is made for several machines."""
    own = {"PLATFORM": "dev", "WORKERS": "2", "HOST": address, "PORT": "8080"}
    return {**NO_SETTINGS, **SECRETS, **own, **variables(APIS[address])}


def write(machine: Machine, name: str) -> Path:
    """Write a file of the page into the folder of a machine. Only its own names differ."""
    path, text = machine.folder / Path(name).name, FILES[name]
    if name == PATRONI:
        text = text.replace(DATABASES[0], machine.address).replace(
            "db1", f"db{machine.address[-1]}"
        )
    for folder in ("/var/lib/postgresql/15", "/run/postgresql", "/etc/pgbouncer"):
        text = text.replace(folder, str(machine.folder))
    path.write_text(text.replace("/usr/lib/postgresql/15/bin", str(POSTGRES.parent)))
    return path


def start(machines: dict[str, Machine]) -> None:
    """Start the processes of all machines, each after those that it needs."""
    data = machines[STORE].folder / "data"
    machines[STORE].use("etcd", f"--data-dir={data}", env=variables(ETCD))
    wait_for(f"http://{STORE}:2379/health")
    for address in DATABASES:
        machines[address].use("patroni", write(machines[address], PATRONI))
        wait_until(primary)
    wait_until(has_standby)
    url = f"postgresql://postgres:secret@{primary()}"
    subprocess.run(["psql", "-v", "ON_ERROR_STOP=1", url], input=SQL.encode(), check=True)
    machines[BALANCER].use("haproxy", "-f", write(machines[BALANCER], HAPROXY))
    write(machines[POOL], PASSWORDS)
    machines[POOL].use("pgbouncer", write(machines[POOL], PGBOUNCER))
    for address in APIS:
        machines[address].use(
            sys.executable, PROJECT / "app.py", env=settings(address), as_root=True
        )
        wait_for(f"http://{address}:8080/api/readyz")
    wait_for(f"http://{BALANCER}:8080/api/readyz")
