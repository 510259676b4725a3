"""The engine with its pool of connections, and the session of each request."""

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL

from chirpy.database.base import Base
from chirpy.database.connections import (
    CONNECT_ARGS,
    ConnectArguments,
    configure_connections,
    use_connect_arguments,
)
from chirpy.settings import Settings
from chirpy.settings.database_url import DRIVER

POOL_TIMEOUT = 2  # seconds a request waits for a pooled connection

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def bind_engine(app: Flask, settings: Settings, connect_arguments: ConnectArguments | None) -> None:
    """Give `app` a pool with one connection for the session of each of its threads.

    The database is the one at DB_URL. Without DB_URL, `connect_arguments` is called before each
    connection.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.db_url or URL.create(DRIVER)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.threads,
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT,
        "hide_parameters": True,  # they are personal data, and errors are logged
        "connect_args": CONNECT_ARGS,
    }
    db.init_app(app)
    with app.app_context():
        configure_connections(db.engine)
        if settings.db_url is None and connect_arguments is not None:
            use_connect_arguments(db.engine, connect_arguments)
