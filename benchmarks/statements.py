"""The SQL that Chirpy sends for a case, read from the log of Postgres, and pgbench with it."""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from benchmarks.api import BenchmarkError, Target, send
from benchmarks.cases import Case
from benchmarks.environment import CHIRP_ID, USER_ID, Database
from benchmarks.wrk import Load, Measurement, run

LOGGED = re.compile(r"LOG:  statement: (.*(?:\n\t.*)*)")  # further lines start with a tab
RATE = re.compile(r"failed transactions: 0 .*^tps = ([0-9.]+)", re.MULTILINE | re.DOTALL)
PGBENCH_VARIABLES = Path(__file__).with_name("sql") / "pgbench.sql"
PGBENCH_VALUES = {
    "user_id": f"{USER_ID}:user",
    "email": "user-:user@bench.example",
    "chirp_id": f"{CHIRP_ID}:chirp",
    "new_id": ":eight-0000-4000-8000-:twelve",
    "event_id": "pgbench_:eight:twelve",
    "repeated_id": "pgbench_:user",  # not Chirpy's: the fingerprint is of another user's event
    "token_hash": "\\x:eight:twelve:twelve:twelve:twelve:eight",
}


class Transaction(NamedTuple):
    """The statements of one request with placeholders, and what `<body>` stands for in them."""

    statements: Sequence[str]
    body: str = ""


def record(database: Database, target: Target, case: Case) -> Transaction:
    """Send a request, and return its transaction with `<user_id>` in place of the id, and so on.

    Another request is sent before, because a new connection needs statements of its own.
    """
    template = case.requests(target)[0]
    send(target.url, template.with_unique_text(), case.status)
    log_size, request = database.log.stat().st_size, template.with_unique_text()
    _, response = send(target.url, request, case.status)
    logged = LOGGED.findall(database.log.read_bytes()[log_size:].decode())
    values = {**request.values, **generated_values(response)}
    body = values.pop("body", "")
    statements = [sql.replace("\n\t", "\n").replace(body or "\0", "<body>") for sql in logged]
    return Transaction(
        [insert_names(sql, values) for sql in statements], insert_names(body, values)
    )


def generated_values(response: str) -> dict[str, str]:
    """Return what the server generated: the hash of a refresh token, or the id of a chirp."""
    answer = json.loads(response) if response.startswith("{") else {}
    if token := answer.get("refresh_token"):
        return {"token_hash": f"\\x{sha256(token.encode()).hexdigest()}"}
    return {"new_id": answer["id"]} if "id" in answer else {}


def insert_names(text: str, values: Mapping[str, str]) -> str:
    """Replace each value in a text by its name; the longest first, for one may contain another."""
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        text = text.replace(value, f"<{name}>")
    return text


def pgbench_script(transaction: Transaction) -> str:
    """Return the script for pgbench. What Chirpy sends in one message stays in one."""
    lines = [sql.strip("; \n").replace(";", "\\;") + ";" for sql in transaction.statements]
    script = "\n".join(lines).replace("<body>", transaction.body)
    for name, text in PGBENCH_VALUES.items():
        script = script.replace(f"<{name}>", text)
    return f"{PGBENCH_VARIABLES.read_text()}{script}\n"


def run_pgbench(database: Database, transaction: Transaction, load: Load) -> Measurement:
    """Measure how often Postgres alone runs the transaction, over as many connections."""
    [[folder]] = database.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(pgbench_script(transaction))
        file.flush()
        size = [f"-c{load.connections}", "-j2", f"-T{load.seconds}", "--no-vacuum"]
        printed = run(f"{folder}/pgbench", *size, f"--file={file.name}", database.url)
    rate = RATE.search(printed)
    if rate is None:
        raise BenchmarkError(f"pgbench failed:\n{printed}")
    return Measurement(float(rate[1]) * load.seconds, float(rate[1]))
