"""Compare the migrations of a database with those of this version of Chirpy."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from chirpy.database.base import Base

MIGRATIONS = Path(__file__).parents[2] / "migrations"
VERSION_TABLE = "alembic_version"
APPLIED_VERSION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
FOUND_TABLES = text("""
    SELECT relname::text FROM pg_class WHERE pg_table_is_visible(oid) AND relname = ANY(:names)
""")


class UnusableDatabase(Exception):
    """The database answers, but Chirpy cannot use it. `next_step` says what to do."""

    problem: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.problem}.\nNext: {self.next_step}"


class NotMigrated(UnusableDatabase):
    """The database lacks all or the newest migrations."""

    problem = "The database is not migrated"
    next_step = "flask db upgrade (`make run` does it too)"


class OtherApplication(UnusableDatabase):
    """The database has tables with our names that our migrations have not made."""

    problem = "This database belongs to another application, whose tables have the same names"
    next_step = "create an empty one (createdb -E UTF8 -T template0 NAME), and set DB_URL to it"


def require_migrated(connection: Connection) -> None:
    """Raise NotMigrated or OtherApplication unless all migrations are applied.

    A database that is newer is fine: during a deployment the old version still serves.
    """
    if (applied_version(connection) or "") < latest_version():
        raise NotMigrated


def applied_version(connection: Connection) -> str | None:
    """Return the latest migration that is applied, or None. Raise OtherApplication."""
    names = {"names": [VERSION_TABLE, *Base.metadata.tables]}
    found = set(connection.scalars(FOUND_TABLES, names))
    version: str | None = None
    if VERSION_TABLE in found:
        version = connection.scalar(APPLIED_VERSION)
    if found - {VERSION_TABLE} and not (version and is_ours(version)):
        raise OtherApplication
    return version


def is_ours(version: str) -> bool:
    """Return whether a version is a file here, or a number that a newer Chirpy can have."""
    return (len(version) == 4 and version.isdecimal()) or version in versions()


@cache  # for `readyz`; and files that a deployment adds later belong to another version
def latest_version() -> str:
    """Return the latest migration of this version of Chirpy, "" without the migrations' folder."""
    return max((version for version in versions() if version.isdecimal()), default="")


def versions() -> list[str]:
    """Return all versions. The name of each file begins with one."""
    return [path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/*_*.py")]
