"""The least that Flask can do: the same SQL by psycopg2, on the same server, hardly a check.

`python -m benchmarks.bare` serves it, with Chirpy's settings and the SQL in a file that the
variable BARE_STATEMENTS names.
"""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from secrets import token_hex
from threading import local
from typing import Any
from uuid import uuid4

import jwt
import psycopg2
from argon2 import PasswordHasher
from flask import Flask, request
from flask.typing import ResponseReturnValue

from benchmarks.cases import KNOWN
from benchmarks.statements import Transaction
from chirpy.server.workers import create_server
from chirpy.settings import read_settings

STATEMENTS = "BARE_STATEMENTS"  # the variable that names the file with the SQL of each case
PLACE = re.compile(r"'<(\w+)>'")
JSON = {"Content-Type": "application/json"}

Values = dict[str, Any]
Rows = list[Values]

app = Flask(__name__)
threads = local()
verify = PasswordHasher().verify


@app.get("/api/healthz")
def health() -> ResponseReturnValue:
    """No SQL."""
    return "OK"


@app.get("/api/chirps/<chirp_id>")
def one_chirp(chirp_id: str) -> ResponseReturnValue:
    """Whatever the id looks like."""
    [rows] = transact("one chirp", {"chirp_id": chirp_id})
    return as_json(rows), JSON


@app.get("/api/chirps")
def list_chirps() -> ResponseReturnValue:
    """The two pages that are asked for."""
    [rows] = transact("list next page" if "after" in request.args else "list 100", {})
    return as_json(rows), JSON


@app.post("/api/chirps")
def new_chirp() -> ResponseReturnValue:
    """Whatever is said."""
    token = request.headers["Authorization"].removeprefix("Bearer ")
    user_id = jwt.decode(token, os.environ["JWT_SECRET"], algorithms=["HS256"])["sub"]
    said = request.get_json()["body"]
    [rows] = transact("new chirp", {"user_id": user_id, "new_id": str(uuid4()), "body": said})
    return as_json(rows), 201, JSON


@app.post("/api/login")
def login() -> ResponseReturnValue:
    """The password is verified; no token is made."""
    given = request.get_json()
    token_hash = f"\\x{token_hex(32)}"
    [user], *_ = transact("login", {"email": given["email"], "token_hash": token_hash})
    verify(user.pop("hashed_password"), given["password"])
    return as_json([user]), JSON


@app.post("/api/polka/webhooks")
def receive_event() -> ResponseReturnValue:
    """An upgrade, with an id."""
    if request.headers["Authorization"] != f"ApiKey {os.environ['POLKA_KEY']}":
        return "", 401
    event = request.get_json()
    event_id, user_id = f"bare_{event['id']}", event["data"]["user_id"]  # no event of Chirpy's
    values = {"event_id": event_id, "known_id": event_id, "user_id": user_id}
    case = "webhook repeated" if event["id"].startswith(KNOWN) else "webhook new"
    transact(case, values | {"body": request.get_data(as_text=True)})
    return "", 204


def transact(case: str, values: Values) -> list[Rows]:
    """Run the transaction of a case; returns the rows of each statement that returns any."""
    if not hasattr(threads, "connection"):
        threads.connection = psycopg2.connect(os.environ["DB_URL"])
        threads.connection.autocommit = True
    with threads.connection.cursor() as cursor:
        found = [rows_of(cursor, sql, values) for sql in transactions()[case]]
    return [rows for rows in found if rows is not None]


def rows_of(cursor: Any, sql: str, values: Values) -> Rows | None:
    """Run one statement; what the next one needs of it is the id that it returns first."""
    cursor.execute(sql, values)
    if cursor.description is None:
        return None
    names = [column.name for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in rows[:1]:
        values.setdefault("user_id", row[names[0]])
    return rows


@cache
def transactions() -> dict[str, list[str]]:
    """What to send for each case."""
    found: dict[str, list[str]] = json.loads(Path(os.environ[STATEMENTS]).read_text())
    return found


def written(transactions: Mapping[str, Transaction]) -> str:
    """The transactions as the file that is read here."""
    return json.dumps({case: prepared(found) for case, found in transactions.items()})


def prepared(transaction: Transaction) -> list[str]:
    """The statements with places for psycopg2 to fill."""
    statements = [PLACE.sub(r"%(\1)s", sql.replace("%", "%%")) for sql in transaction.statements]
    return statements if len(statements) == 1 else ["BEGIN", *statements, "COMMIT"]


def as_json(rows: Rows) -> str:
    """The rows as JSON, unless Postgres has made it already."""
    if not rows or len(rows[0]) > 1:
        return json.dumps(rows, default=str)
    texts = [str(*row.values()) for row in rows]
    return texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"


def load() -> Flask:
    """The application of one worker process."""
    return app


if __name__ == "__main__":
    create_server(read_settings(Path(os.devnull))).serve(target_loader=load, wrap_loader=False)
