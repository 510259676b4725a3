"""The engine with its pool of connections, and the session of each request."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, NullPool, PoolProxiedConnection, QueuePool

from chirpy.database.base import Base
from chirpy.database.connecting import ConnectArguments, Connector
from chirpy.database.connections import configure_connections
from chirpy.database.deadlines import bind_deadlines
from chirpy.database.waits import waiting
from chirpy.settings import Settings
from chirpy.settings.database_url import DRIVER

POOL_TIMEOUT = 0.5  # seconds a request waits for a connection that others use
AUTOCOMMIT = "autocommit"  # the name of the second engine
OPTIONS = {
    "hide_parameters": True,  # they are personal data, and errors are logged
    "use_native_hstore": False,  # its query uses a cursor of psycopg2, without a deadline
}

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class ObservedPool(QueuePool):
    """A pool that lets other threads work while one waits for a connection."""

    __module__ = QueuePool.__module__  # the name of its logger, which is not one of ours

    def connect(self) -> PoolProxiedConnection:
        with waiting():
            return super().connect()


def bind_engine(app: Flask, settings: Settings, connect_arguments: ConnectArguments | None) -> None:
    """Give `app` an engine for sessions, with a pool, and one that makes autocommit connections.

    The database is the one at DB_URL. Without DB_URL, `connect_arguments` is called before each
    connection.
    """
    url = settings.db_url or URL.create(DRIVER)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = OPTIONS | {
        "poolclass": ObservedPool,
        "pool_size": session_pool_size(settings),
        "max_overflow": 0,
        "pool_use_lifo": True,  # so that few connections are open
    }
    autocommit = {"url": url, "poolclass": NullPool, "isolation_level": "AUTOCOMMIT"}
    app.config["SQLALCHEMY_BINDS"] = {AUTOCOMMIT: OPTIONS | autocommit}
    bind_deadlines(app)
    db.init_app(app)
    with app.app_context():
        # Not "pool_timeout", which Flask-SQLAlchemy rounds down to 0 seconds.
        vars(db.engine.pool)["_timeout"] = POOL_TIMEOUT
        connector = Connector(None if settings.db_url else connect_arguments)
        for engine in db.engines.values():
            connector.listen(engine)
            configure_connections(engine)


def session_pool_size(settings: Settings) -> int:
    """Return how many connections the sessions of one process have: a third, at least one."""
    return max(1, settings.db_connections // settings.workers // 3)


def autocommit_pool_size(settings: Settings) -> int:
    """Return how many autocommit connections one process has: the rest, at least one.

    Deliveries use them, most other requests too.
    """
    return max(1, settings.db_connections // settings.workers - session_pool_size(settings))
