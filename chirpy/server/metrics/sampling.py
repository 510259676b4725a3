"""Write the counts to the files, and look at the database connections, ten times a second."""

from threading import Thread
from time import sleep
from typing import Any

from flask import Flask
from prometheus_client import Gauge

from chirpy.database.autocommit_pool import EXTENSION, AutocommitPool
from chirpy.database.engine import autocommit_pool_size, db, session_pool_size
from chirpy.server.metrics import counting
from chirpy.settings import current_settings

PAUSE = 0.1  # seconds; a worker that is killed loses the requests of this time

# The sum of the workers. A worker that was killed counts until another has replaced it.
IN_USE = Gauge(
    "chirpy_database_connections_in_use",
    "Database connections that requests use.",
    ["pool"],
    multiprocess_mode="livesum",
)
LIMIT = Gauge(
    "chirpy_database_connections_limit",
    "Database connections that requests can use.",
    ["pool"],
    multiprocess_mode="livesum",
)


def start(app: Flask) -> None:
    """Do so now, and in a thread until the process ends."""
    with app.app_context():
        engine, settings = db.engine, current_settings()
    statements: AutocommitPool = app.extensions[EXTENSION]
    LIMIT.labels("statements").set(autocommit_pool_size(settings))
    LIMIT.labels("transactions").set(session_pool_size(settings))

    def sample() -> None:
        counting.write()
        pool: Any = engine.pool  # another one after a lost connection
        IN_USE.labels("statements").set(statements.in_use)
        IN_USE.labels("transactions").set(pool.checkedout())

    def sample_forever() -> None:
        while True:
            sleep(PAUSE)
            sample()

    sample()
    Thread(target=sample_forever, daemon=True).start()
