"""The data folder of a new cluster: sorted the same on every machine, ours, and whole."""

import shutil
from collections.abc import Mapping, Sequence
from subprocess import CompletedProcess

from chirpy.devtools.postgres.failures import PostgresFailed
from chirpy.devtools.postgres.programs import Programs

DRAFT = "data.new"  # renamed when it is complete, so that half a folder never counts

# No password: whoever can enter the socket's folder (mode 0700) can read the data files anyway.
OPTIONS = ("--username=chirpy", "--auth=trust", "--encoding=UTF8", "--no-instructions")

# Strings are ordered by code point on every machine. Postgres brings that order along since 17;
# older ones ask the system for C.UTF-8, and fall back to C, which knows case for ASCII only.
FIRST_WITH_OWN_ORDER = 17
OWN_ORDER = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
SYSTEM_ORDERS = ("--locale=C.UTF-8",), ("--locale=C",)


def make(programs: Programs, settings: Mapping[str, str], keep_open: Sequence[int]) -> None:
    """Make the data folder with the database `chirpy` in it; raises PostgresFailed."""
    made = initialize(programs, settings, keep_open)
    if made.returncode == 0:
        made = create_database(programs, settings, keep_open)
    if made.returncode != 0:
        raise PostgresFailed(
            f"Postgres could not make its data folder in {programs.place.home}:\n"
            f"{made.stderr.strip()}\nMend that, or set DB_URL in .env."
        )
    (programs.place.home / DRAFT).rename(programs.place.data)


def initialize(
    programs: Programs, settings: Mapping[str, str], keep_open: Sequence[int]
) -> CompletedProcess[str]:
    """Run `initdb`, with the next best order of strings if the machine lacks the best."""
    options = [*OPTIONS, f"--pgdata={DRAFT}"]
    if settings.get("fsync") == "off":  # who gives up durability gives it up from the start
        options.append("--no-sync")
    for order in (OWN_ORDER,) if programs.major >= FIRST_WITH_OWN_ORDER else SYSTEM_ORDERS:
        shutil.rmtree(programs.place.home / DRAFT, ignore_errors=True)
        made = programs.run("initdb", *options, *order, keep_open=keep_open)
        if "invalid locale name" not in made.stderr:
            break
    return made


def create_database(
    programs: Programs, settings: Mapping[str, str], keep_open: Sequence[int]
) -> CompletedProcess[str]:
    """Create the database without starting a server: it has to be there before one is seen."""
    extra = [f"--{name}={value}" for name, value in settings.items()]
    return programs.run(
        "postgres",
        *("--single", "-D", DRAFT, "--exit_on_error=on", *extra, "postgres"),
        statements="CREATE DATABASE chirpy\n",
        keep_open=keep_open,
    )
