"""Examine the way to the database: the server, the login, the database."""

from collections.abc import Iterator
from math import inf

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from chirpy.database.connecting import ConnectFailed
from chirpy.database.deadlines import within
from chirpy.database.engine import AUTOCOMMIT, db
from chirpy.database.explanations import TRY_AGAIN, find_step
from chirpy.database.startup import STATEMENT_MODE, is_in_statement_mode
from chirpy.server.doctor.database import examine_database
from chirpy.server.doctor.findings import UNCHECKED, Finding, problem, split_step
from chirpy.server.doctor.postgres_commands import Postgres, identifier
from chirpy.server.doctor.systems import flask
from chirpy.settings import Settings
from chirpy.settings.database_url import show_database_url

LIMIT = 20  # seconds; the embedded Postgres has none, because its first start takes a few
SERVER, LOGIN, DATABASE, CONNECTIONS = "server", "authentication", "database", "connections"
# What Postgres or libpq says when a step fails. The first match counts; all else is the server.
FAILED_STEPS = {
    "authentication failed": LOGIN,
    "no password supplied": LOGIN,
    "pg_hba.conf": LOGIN,
    'role "': LOGIN,
    'database "': DATABASE,
    "too many": CONNECTIONS,
    "remaining connection slots": CONNECTIONS,
}


def examine_connection(settings: Settings) -> Iterator[Finding]:
    """Connect as Chirpy does, and examine the database if that is possible."""
    url = settings.db_url
    try:
        with within(LIMIT if url else inf):
            connection = db.engines[AUTOCOMMIT].connect()
    except (DBAPIError, ConnectFailed) as error:
        yield from explain_failure(getattr(error, "orig", error), url)
        yield Finding("all else", "not checked: no connection to the database", UNCHECKED)
        return
    with within(LIMIT), connection:
        if is_in_statement_mode():
            yield problem(SERVER, *split_step(STATEMENT_MODE))
            return
        yield Finding(SERVER, show_database_url(url) if url else "the embedded Postgres runs")
        yield from examine_database(connection, settings)


def explain_failure(cause: object, url: URL | None) -> Iterator[Finding]:
    """Find at which step a connection failed, and the commands for it."""
    message = str(cause).strip()
    if url is None or isinstance(cause, ConnectFailed):  # has its next step
        text, step = split_step(message)
        steps = Postgres(url).create_another() if "does not exist" in text else (TRY_AGAIN,)
        yield problem(SERVER, text, *([step] if step else steps))
        return
    failed = next((step for text, step in FAILED_STEPS.items() if text in message), SERVER)
    if failed != SERVER:
        yield Finding(SERVER, f"answers at {show_database_url(url)}")
    if failed == DATABASE:
        yield Finding(LOGIN, f"as {url.username}")
    text = message if failed != SERVER else f"{show_database_url(url)}: {message}"
    yield problem(failed, text, find_step(message), *commands(failed, message, Postgres(url)))


def commands(failed: str, message: str, postgres: Postgres) -> tuple[str, ...]:
    """Return what to type after a failed step."""
    user, database = identifier(postgres.user), identifier(postgres.database)
    is_missing = "does not exist" in message
    if failed == LOGIN and is_missing:
        return (postgres.as_administrator("createuser", "--pwprompt", postgres.user),)
    if failed == DATABASE and is_missing:
        return postgres.create_database(postgres.database)
    statements = {
        LOGIN: "SHOW hba_file" if "pg_hba.conf" in message else f"\\password {user}",
        DATABASE: f"GRANT CONNECT ON DATABASE {database} TO {user}",
        CONNECTIONS: "SHOW max_connections",
    }
    if failed in statements:
        return (postgres.sql(statements[failed], database="postgres"),)
    if "FATAL:" in message:  # it runs, and says something else, as while it starts
        return (flask("doctor") + "   (again, after that)",)
    return (postgres.look_up(),) if "could not translate host name" in message else postgres.start()
