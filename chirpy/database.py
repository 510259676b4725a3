"""The database, before any application is bound to it."""

import os
from datetime import datetime
from pathlib import Path
from select import POLLIN, poll
from typing import Any, cast

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, DateTime, Engine, MetaData, Row, Table, Text, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry

from chirpy.postgres import PrivatePostgres
from chirpy.settings import DRIVER, Settings

# What libpq would read from the environment and let lead past the private Postgres.
BENDING = {"PGHOSTADDR", "PGSERVICE", "PGREQUIREAUTH", "PGTARGETSESSIONATTRS", "PGOPTIONS"}
PRIVATE = "chirpy.postgres"  # where the application keeps its private Postgres, if it has one
NEW = "chirpy.new"  # of a connection that has not been used yet
CONNECT_TIMEOUT = 5  # seconds until an unreachable host counts as down
CONNECT_ARGS = {
    "connect_timeout": CONNECT_TIMEOUT,
    "application_name": "chirpy",
    "client_encoding": "utf8",  # whatever PGCLIENTENCODING and the database say
}
POOL_TIMEOUT = 2  # seconds a request waits for a connection that another one holds
# All in one round trip. A webhook that waits longer is better off with a 503 and its retry.
SESSION = (
    "SET lock_timeout = '2s'; SET statement_timeout = '5s';"
    " SET default_transaction_isolation = 'read committed'"
)
Record = Row[*tuple[Any, ...]]  # what a statement returns, column by column

NEW_ID = text("gen_random_uuid()")
NOW = text("now()")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table shares: named constraints, text without a length, times with a zone."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={str: Text(), datetime: DateTime(timezone=True)},
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def bind(app: Flask, settings: Settings) -> None:
    """Give `app` a pool of one connection for the session of each of its threads."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.db_url or URL.create(DRIVER)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.threads,
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT,
        "hide_parameters": True,  # they are people's data, and an error is logged
        "connect_args": CONNECT_ARGS,
    }
    db.init_app(app)
    with app.app_context():
        listen(db.engine)
        if settings.db_url is None:
            private = PrivatePostgres(Path(app.instance_path) / "postgres")
            app.extensions[PRIVATE] = private
            start_before_connecting(db.engine, private)


def private_postgres() -> PrivatePostgres | None:
    """The private Postgres of the current application, if it has one."""
    return cast("PrivatePostgres | None", current_app.extensions.get(PRIVATE))


def listen(engine: Engine) -> None:
    """Set up each new connection, and drop pooled ones that Postgres has closed."""

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[NEW] = True
        # As a statement, not as start-up options: PgBouncer refuses those.
        connection.cursor().execute(SESSION)
        connection.commit()

    @event.listens_for(engine, "checkout")
    def refuse_closed(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if record.info.pop(NEW, False):
            return  # closed already, it makes its first statement fail, which is told as trouble
        if is_closed(connection):
            raise DisconnectionError("Postgres has closed this connection")


def is_closed(connection: Any) -> bool:
    """Whether Postgres has closed an idle connection, which has nothing to say but goodbye.

    Asking the socket costs no round trip, as a ping before each use would.
    """
    socket = poll()
    socket.register(connection.fileno(), POLLIN)
    return bool(socket.poll(0))


def start_before_connecting(engine: Engine, private: PrivatePostgres) -> None:
    """Start the private Postgres when it is first needed, and again should it have died."""

    @event.listens_for(engine, "do_connect")
    def start(_dialect: object, _record: object, _args: object, kwargs: dict[str, Any]) -> None:
        for name in BENDING & os.environ.keys():
            del os.environ[name]
        kwargs.update(private.ensure_running())


def table(model: type[Base]) -> Table:
    """The table under a model, for statements that need rows and no objects."""
    return cast("Table", model.__table__)
