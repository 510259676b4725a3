"""Where a cluster lives: in the project, or within reach of the user who has to run it."""

import logging
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chirpy.devtools.postgres import shelter
from chirpy.devtools.postgres.failures import PostgresFailed
from chirpy.devtools.postgres.owner import Owner, we_are_root

PORT = 5432  # part of the socket's name; nothing listens on the network
SOCKET = f".s.PGSQL.{PORT}"
TEMPORARY = Path("/tmp")  # noqa: S108 - `prepare_sockets` trusts nothing it finds there
LONGEST_SOCKET_PATH = 103  # bytes; macOS has room for that many, Linux for 107

log = logging.getLogger("chirpy.devtools.postgres")


@dataclass(frozen=True)
class Place:
    """The folder of one cluster (data, log, locks) and the user it belongs to."""

    home: Path
    owner: Owner

    @property
    def data(self) -> Path:
        """The data folder, as Postgres calls it."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server writes of itself."""
        return self.home / "server.log"

    @property
    def major(self) -> int | None:
        """The version that the data are of, None if there are none yet."""
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    @property
    def sockets(self) -> Path:
        """The folder of the socket: `home`, or a short one where that makes no usable path.

        The short one is in /tmp whatever TMPDIR says, for all processes have to agree on it.
        """
        length = len(os.fsencode(self.home / SOCKET))
        if length > LONGEST_SOCKET_PATH or "," in str(self.home):  # libpq splits hosts at commas
            return TEMPORARY / f"chirpy-{shelter.digest(self.home)}"
        return self.home

    def prepare_sockets(self) -> None:
        """Make the folder of the socket, where somebody else may have been first."""
        if self.sockets == self.home:
            return
        claim(self.sockets, self.owner)
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.owner.uid:
            raise PostgresFailed(f"{self.sockets} is not ours. Have it deleted, then try again.")
        self.sockets.chmod(0o700)

    def remove_sockets(self) -> None:
        """Delete what `prepare_sockets` made."""
        if self.sockets != self.home:
            with suppress(OSError):
                self.sockets.rmdir()


def settle(folder: Path) -> Place:
    """Return the place of the cluster known as `folder`, made if it is new."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if shelter.is_strange(folder):
            folder.unlink()
        if is_free(folder):
            build(folder)
        place = find(folder)
    except OSError as error:
        raise PostgresFailed(
            f"{folder} cannot be made or entered: {error.strerror}. Make {folder.parent} writable "
            "for yourself, or set DB_URL in .env."
        ) from error
    if place.home != folder:
        log.info("Postgres keeps its data in %s, as you see in %s", place.home, folder)
    return place


def find(folder: Path) -> Place:
    """Return the place that `folder` is or leads to; raises PostgresFailed if it is not ours."""
    home = folder.resolve(strict=True)
    owner = Owner.by_id(home.stat().st_uid)
    if owner.uid == 0 or os.geteuid() not in (0, owner.uid):
        raise PostgresFailed(
            f"{home} belongs to {owner.name}, so you cannot run the Postgres in it. Run as the "
            f"same user as before, or delete it (sudo rm -r {home}) and start afresh, or set "
            "DB_URL in .env."
        )
    home.chmod(0o700)
    return Place(home, owner)


def is_free(folder: Path) -> bool:
    """Whether nothing is there yet, or only an empty folder made by root."""
    if not os.path.lexists(folder):
        return True
    return we_are_root() and folder.stat().st_uid == 0 and not any(folder.iterdir())


def build(folder: Path) -> None:
    """Make a home for a new cluster, and let `folder` be it or lead to it."""
    owner, elsewhere = Owner.of_new_data(), shelter.shelter_of(folder)
    if not we_are_root() or (not elsewhere.exists() and owner.can_enter(folder.parent)):
        claim(folder, owner)
    else:
        shelter.open_up()
        claim(elsewhere, owner)
        with suppress(OSError):
            folder.rmdir()  # it may be there, empty
        with suppress(FileExistsError):  # another process may have been faster
            folder.symlink_to(elsewhere)


def claim(folder: Path, owner: Owner) -> None:
    """Make `folder` and hand it to `owner`, which only root can do and has to."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if we_are_root() and folder.lstat().st_uid == 0:
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)


def anything_is_kept_for(folder: Path) -> bool:
    """Whether there is something to delete."""
    return os.path.lexists(folder) or shelter.shelter_of(folder).exists()


def forget(folder: Path) -> None:
    """Delete the link to a home that is gone."""
    if folder.is_symlink():
        folder.unlink()
        shelter.close_down()
