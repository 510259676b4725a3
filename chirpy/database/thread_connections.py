"""A connection for each thread, outside the pool, for single statements that commit themselves."""

from threading import local
from typing import Any

from flask import Flask, current_app
from psycopg2 import extensions
from sqlalchemy import event

from chirpy.database.connections import is_closed
from chirpy.database.engine import db

EXTENSION = "chirpy.thread_connections"


class ThreadConnections(local):
    """One autocommit connection for each thread. It closes when its thread ends."""

    connection: extensions.connection | None = None

    def get(self) -> extensions.connection:
        """Return this thread's connection, or a new one if Postgres has closed it."""
        if self.connection is None or is_closed(self.connection):
            self.connection = connect()
        return self.connection


def bind_thread_connections(app: Flask) -> None:
    """Let each thread of `app` keep a connection until the engine is disposed of."""
    app_extensions = app.extensions  # not `app`, which the listener would keep alive

    def renew(*_: object) -> None:
        app_extensions[EXTENSION] = ThreadConnections()

    renew()
    with app.app_context():
        event.listen(db.engine, "engine_disposed", renew)


def thread_connections() -> ThreadConnections:
    """Return the connections of the current application's threads."""
    connections: ThreadConnections = current_app.extensions[EXTENSION]
    return connections


def connect() -> extensions.connection:
    """Return a new connection, configured like those of the pool, but outside the pool."""
    pooled = db.engine.raw_connection()
    raw: Any = pooled.dbapi_connection
    pooled.detach()
    connection: extensions.connection = raw
    connection.autocommit = True
    return connection
