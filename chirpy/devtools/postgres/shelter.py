"""A place outside the project, for projects that the server's user cannot enter.

Root runs the server as somebody else, who gets nowhere below /root or any other folder of mode
0700. The project then has a link to its data.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from chirpy.devtools.postgres.failures import PostgresFailed

LASTING = Path("/var/lib")
SECOND_BEST = Path("/var/tmp")  # noqa: S108 - `open_up` trusts nothing it finds there
ROOT = (LASTING if LASTING.is_dir() else SECOND_BEST) / "chirpy"


def shelter_of(folder: Path) -> Path:
    """Return where the cluster known as `folder` lives if it cannot live there."""
    return ROOT / digest(folder)


def open_up() -> None:
    """Make the folder of all shelters; raises PostgresFailed if somebody else did."""
    ROOT.mkdir(exist_ok=True)
    if ROOT.is_symlink() or ROOT.lstat().st_uid != 0:
        raise PostgresFailed(f"{ROOT} has to belong to root. Delete it, or set DB_URL in .env.")
    ROOT.chmod(0o755)


def close_down() -> None:
    """Delete the folder of all shelters unless one is left."""
    with suppress(OSError):
        ROOT.rmdir()


def is_strange(folder: Path) -> bool:
    """Whether `folder` is a link made for another project, of which this one is a copy."""
    if not folder.is_symlink() or folder.readlink().parent != ROOT:
        return False
    return folder.readlink() != shelter_of(folder) or not folder.exists()


def digest(folder: Path) -> str:
    """Return a short name for `folder` that no other one has."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
