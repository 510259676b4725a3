"""How to reach a server through its socket."""

from typing import TypedDict
from urllib.parse import quote


class Connection(TypedDict):
    """The way to the database, as keyword arguments of `psycopg2.connect`."""

    host: str  # the folder of the socket
    port: int
    user: str
    dbname: str


def url_of(connection: Connection) -> str:
    """Return the same as `postgresql://chirpy@/chirpy?host=/…&port=5432`."""
    return "postgresql://{user}@/{dbname}?host={host}&port={port}".format_map(
        {**connection, "host": quote(connection["host"])}
    )
