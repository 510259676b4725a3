"""The least that Flask can do: send the SQL of a case, from the file that BARE_STATEMENTS names."""

import json
import os
import re
from functools import cache
from pathlib import Path
from secrets import token_hex
from threading import local
from typing import Any
from uuid import uuid4

import jwt
import psycopg2
from argon2 import PasswordHasher
from flask import Flask, Response, request

PLACEHOLDER = re.compile(r"'<(\w+)>'")

app = Flask(__name__)
threads = local()
hasher = PasswordHasher()


@app.route("/<path:case>", methods=["GET", "POST"])
def run_case(case: str) -> Response:
    """Check a token or a password if there is one, and return the rows as JSON."""
    values = request.args.to_dict()
    if request.method == "POST":
        values = {"new_id": str(uuid4()), "token_hash": f"\\x{token_hex(32)}"}
        values |= request.get_json(force=True)
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith("Bearer "):
        jwt.decode(authorization[7:], os.environ["JWT_SECRET"], algorithms=["HS256"])
    rows = [row for sql in statements().get(case, []) for row in execute(sql, values)]
    if "password" in values:
        hasher.verify(rows[0].pop("hashed_password"), values["password"])
    texts = [str(*row.values()) if len(row) == 1 else json.dumps(row, default=str) for row in rows]
    return Response(f"[{','.join(texts)}]", mimetype="application/json")


def execute(sql: str, values: dict[str, str]) -> list[dict[str, Any]]:
    """Run a statement on the connection of this thread, and return its rows."""
    if not hasattr(threads, "connection"):
        threads.connection = psycopg2.connect(os.environ["DB_URL"])
        threads.connection.autocommit = True
    with threads.connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []


@cache
def statements() -> dict[str, list[str]]:
    """Read the statements of all cases, with parameters as psycopg2 wants them."""
    saved = json.loads(Path(os.environ["BARE_STATEMENTS"]).read_text())
    return {
        case: [PLACEHOLDER.sub(r"%(\1)s", sql.replace("%", "%%")) for sql in recorded]
        for case, recorded in saved.items()
    }
