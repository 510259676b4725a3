"""Read DB_URL, with one host or several, and show it."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from chirpy.settings.hosts import require_ports, show_hosts, take_hosts, with_hosts

DRIVER = "postgresql+psycopg2"  # named: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3
DB_URL_EXAMPLE = "postgres://user:password@host:5432/name"
# Options of the URL. SQLAlchemy hides the URL's password itself.
SECRET_OPTIONS = ["sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"]


def parse_database_url(text: str) -> URL:
    """Return the URL with the driver in it, and the password where SQLAlchemy hides it.

    Several hosts are in its options `host` and `port`, with commas, as libpq reads them.
    """
    if text.count("@") > 1:  # the rest of a password would count as the host
        raise ValueError("has more than one @: in the user and the password, write %40 instead")
    text, hosts = take_hosts(text)
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
    return require_ports(with_hosts(url, hosts).set(drivername=DRIVER))


def show_database_url(url: URL) -> str:
    """Return the URL as users write it, without any password."""
    return show_hosts(url.set(drivername="postgres").difference_update_query(SECRET_OPTIONS))
