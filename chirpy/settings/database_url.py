"""Read DB_URL."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVER = "postgresql+psycopg2"  # named: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3
DB_URL_EXAMPLE = "postgres://user:password@host:5432/name"


def parse_database_url(text: str) -> URL:
    """Return the URL with the driver in it, and the password where SQLAlchemy hides it."""
    if text.count("@") > 1:  # the rest of a password would count as the host
        raise ValueError("has more than one @: in the user and the password, write %40 instead")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(f"must be written as {DB_URL_EXAMPLE}") from None
    if url.drivername not in {"postgres", "postgresql", DRIVER}:
        raise ValueError("must start with postgres:// or postgresql://")
    if not url.database and not url.query.keys() & {"dbname", "service"}:
        raise ValueError(f"lacks the name of the database at its end: {DB_URL_EXAMPLE}")
    if password := url.query.get("password"):
        url = url.set(password=str(password)).difference_update_query(["password"])
    return url.set(drivername=DRIVER)
