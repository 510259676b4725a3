"""How fast Postgres alone does the same: its own `pgbench`, with the SQL that Chirpy sends."""

import re
import shutil
import tempfile
from pathlib import Path

from benchmarks.failures import BenchmarkFailed
from benchmarks.house import House
from benchmarks.load import Generator, run
from benchmarks.seeding import CHIRP_ID, CHIRPS, FIRST, USER_ID, USERS
from benchmarks.statements import Transaction

THREADS = 2
RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: ([1-9][0-9]*)", re.MULTILINE)

# What pgbench writes where a statement names something, and the variables that it needs for it.
LARGE = "random(1000000000000000, 8999999999999999)"
VARIABLES = {
    "user": f"random({FIRST}, {FIRST + USERS - 1})",
    "chirp": f"random({FIRST}, {FIRST + CHIRPS - 1})",
    "eight": "random(10000000, 99999999)",
    "twelve": "random(100000000000, 999999999999)",
    "first": LARGE,
    "second": LARGE,
    "third": LARGE,
    "fourth": LARGE,
}
WRITTEN = {
    "user_id": f"{USER_ID}:user",
    "email": "user-:user@bench.example",
    "chirp_id": f"{CHIRP_ID}:chirp",
    "new_id": ":eight-0000-4000-8000-:twelve",
    "event_id": "pgbench_:first:second",
    # Not those of Chirpy's: an event must say the same each time, and here it does not.
    "known_id": "pgbench_of_:user",
    "token_hash": "\\x:first:second:third:fourth",
}


def program(house: House) -> Path | None:
    """The `pgbench` that fits the server, or any, if there is one."""
    fitting = house.postgres.programs() / "pgbench"
    found = str(fitting) if fitting.exists() else shutil.which("pgbench")
    return Path(found) if found else None


def per_second(house: House, transaction: Transaction, load: Generator) -> float | None:
    """Transactions a second, over as many connections as the server has clients."""
    pgbench = program(house)
    if pgbench is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script(transaction))
        file.flush()
        seconds = max(1, round(load.seconds))  # it knows whole ones only
        size = [f"-c{load.connections}", f"-j{THREADS}", f"-T{seconds}", "--no-vacuum"]
        return rate(run([str(pgbench), *size, f"--file={file.name}", house.database], seconds))


def script(transaction: Transaction) -> str:
    """The transaction as pgbench understands it: what Chirpy sends as one stays one."""
    told = [written(sql, transaction.body).strip("; \n") for sql in transaction.statements]
    lines = [sql.replace(";", "\\;") for sql in told]
    if len(lines) > 1:
        lines = ["BEGIN", *lines, "COMMIT"]
    needed = [name for name in VARIABLES if f":{name}" in "".join(lines)]
    variables = [f"\\set {name} {VARIABLES[name]}" for name in needed]
    return "\n".join([*variables, *(f"{line};" for line in lines), ""])


def written(sql: str, body: str) -> str:
    """`sql` with a variable in each of its places."""
    sql = sql.replace("<body>", body)
    for name, text in WRITTEN.items():
        sql = sql.replace(f"<{name}>", text)
    return sql


def rate(printed: str) -> float:
    """Transactions a second, as pgbench prints them. Raises BenchmarkFailed."""
    found, failed = RATE.search(printed), FAILED.search(printed)
    if not found or failed:
        raise BenchmarkFailed(f"pgbench failed:\n{printed}")
    return float(found[1])
