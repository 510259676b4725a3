"""The SQL that Chirpy sends for each case, overheard from Chirpy itself.

Nothing is typed again, so whatever becomes of the application's statements, what bounds it is
measured with the same ones. One statement is taken for a transaction of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any, ClassVar
from uuid import UUID

from flask.testing import FlaskClient
from psycopg2.extensions import cursor
from sqlalchemy import event
from werkzeug.test import TestResponse

from benchmarks.asking import UNIQUE, Ask
from benchmarks.cases import Case
from benchmarks.failures import BenchmarkFailed
from benchmarks.scene import Scene
from chirpy import create_app
from chirpy.database.engine import db
from chirpy.settings import parse_settings
from chirpy.web.cursors import Cursor


@dataclass(frozen=True)
class Transaction:
    """What is sent for one request.

    `<user_id>` stands for the id of the user that the request speaks of, and so on; `<body>` for
    `body`, in which there are such places too.
    """

    statements: tuple[str, ...]
    body: str = ""


class Eavesdropper(cursor):
    """Keeps what Postgres is told, as it is told."""

    heard: ClassVar[list[str]] = []

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Tell Postgres, and keep it."""
        self.heard.append(self.mogrify(query, vars).decode())
        super().execute(query, vars)


def overhear(
    environment: Mapping[str, str], scene: Scene, cases: Sequence[Case]
) -> dict[str, Transaction]:
    """The transaction of each case. Raises BenchmarkFailed."""
    app = create_app(parse_settings(environment))
    with app.app_context():
        engine = db.engine
    event.listen(engine, "do_connect", listen_in)
    try:
        return {case.name: transaction(app.test_client(), scene, case) for case in cases}
    finally:
        engine.dispose()


def listen_in(_dialect: object, _record: object, _args: object, kwargs: dict[str, Any]) -> None:
    """Give a new connection the cursors that keep what they are told."""
    kwargs["cursor_factory"] = Eavesdropper


def transaction(client: FlaskClient, scene: Scene, case: Case) -> Transaction:
    """What is told to Postgres for the first request of a deck."""
    deck = case.deck(scene)
    send(client, case, deck[0])  # connects, which tells Postgres more
    Eavesdropper.heard.clear()
    request = deck[0].made_unique(token_hex(len(UNIQUE) // 2))
    answer = send(client, case, request)
    named = {**request.speaks_of, **named_by(answer)}
    statements = tuple(parted(sql, named) for sql in Eavesdropper.heard)
    body = named.pop("body", "")
    return Transaction(statements, parted(body, named))


def send(client: FlaskClient, case: Case, request: Ask) -> TestResponse:
    """Ask the application in this process."""
    answer = client.open(
        request.path, method=request.method, headers=dict(request.headers), data=request.body
    )
    if answer.status_code != case.status:
        raise BenchmarkFailed(f"{case.name}: {answer.status_code} {answer.get_data(as_text=True)}")
    return answer


def named_by(answer: TestResponse) -> dict[str, str]:
    """What only the answer tells: the id of a new chirp, and what is kept of a refresh token."""
    told = answer.get_json() if answer.status_code in (200, 201) else None
    if not isinstance(told, dict):
        return {}
    if "refresh_token" in told:
        return {"token_hash": "\\x" + sha256(told["refresh_token"].encode()).hexdigest()}
    return {"new_id": told["id"]}


def parted(told: str, named: Mapping[str, str]) -> str:
    """`told` with places where it names something; the longest first, for one may hold another."""
    for name, said in sorted(named.items(), key=lambda item: -len(item[1])):
        told = told.replace(said, f"<{name}>") if said else told
    return told


def cursor_after(created_at: datetime, chirp_id: str) -> str:
    """What leads to the page after this chirp."""
    return str(Cursor(created_at, UUID(chirp_id)))
