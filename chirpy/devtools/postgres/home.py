"""The folder of one embedded Postgres: where it is, and who owns it."""

import fcntl
import os
import pwd
import shutil
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from chirpy.database.connecting import ConnectFailed
from chirpy.devtools.postgres import supervisor
from chirpy.devtools.postgres.supervisor import SERVER, SUPERVISOR, open_file, try_lock

# Postgres refuses to run as root. For root it runs as USER, who cannot enter a project below /root:
# the data of root's projects are in ROOT_DATA, and `folder` is a link to them.
USER = "nobody"
ROOT_DATA = Path("/var/lib/chirpy")


class EmbeddedPostgresError(ConnectFailed):
    """The embedded Postgres cannot be used; the text says why and what to do next."""


def home_of(folder: Path) -> Path:
    """Return where the data of `folder` are or will be."""
    is_link = os.path.islink(folder)  # noqa: PTH114 - Path.is_symlink raises PermissionError
    is_ours = is_link and folder.readlink().parent == ROOT_DATA
    if is_ours or (os.geteuid() == 0 and not folder.exists()):
        # Ignore the link's target: in a copy of the project, it is the original's data.
        return ROOT_DATA / sha256(os.fsencode(folder)).hexdigest()[:16]
    return folder.resolve()


def make_home(folder: Path) -> Path:
    """Return the home of `folder`, made if it is new. Raise EmbeddedPostgresError."""
    try:
        home = home_of(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if home.parent == ROOT_DATA:
            ROOT_DATA.mkdir(exist_ok=True)
            ROOT_DATA.chmod(0o755)
        for private in (home, supervisor.socket_path(home).parent):
            make_private_folder(private, *owner_of(home))
        if folder.resolve() != home:
            folder.unlink(missing_ok=True)
            with suppress(FileExistsError):  # another process was faster
                folder.symlink_to(home)
    except OSError as error:
        step = f"make {folder.parent} writable for your user, or set DB_URL in .env"
        problem = f"{folder} cannot be made or entered: {error.strerror}. Next: {step}"
        raise EmbeddedPostgresError(problem) from error
    return home


def owner_of(home: Path) -> tuple[int, int]:
    """Return the user and the group who run the server."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    if home.exists() and home.stat().st_uid != 0:
        return home.stat().st_uid, home.stat().st_gid
    return pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid


def make_private_folder(folder: Path, user: int, group: int) -> None:
    """Make `folder` unless it exists. Raise EmbeddedPostgresError if another user owns it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == folder.lstat().st_uid == 0:
        os.chown(folder, user, group, follow_symlinks=False)
    owner = folder.lstat().st_uid  # of a link, not of its target: any user can make links in /tmp
    if owner != user:
        step = f"run as that user, or delete it (sudo rm -r {folder}), or set DB_URL in .env"
        raise EmbeddedPostgresError(f"{folder} belongs to user {owner}. Next: {step}")


def has_supervisor(home: Path) -> bool:
    """Return whether a process starts, watches or stops the server."""
    lock = open_file(home / SUPERVISOR)
    free = try_lock(lock)
    fcntl.flock(lock, fcntl.LOCK_UN)  # closing it would leave the copy of a forked process
    os.close(lock)
    return not free


def remove_home(folder: Path) -> None:
    """Stop the server, even while it is used, and delete its data and the link to them."""
    if home_of(folder).exists():
        home = make_home(folder)  # raises an error if it belongs to another user
        locks = [open_file(home / name) for name in (SUPERVISOR, SERVER)]
        while not (try_lock(locks[0]) and try_lock(locks[1])):
            supervisor.send_signal(home, "QUIT")
            time.sleep(supervisor.PAUSE)
        # Renamed first: a user who starts the server meanwhile makes a new folder.
        shutil.rmtree(home.rename(f"{home}.{os.getpid()}"))
        shutil.rmtree(supervisor.socket_path(home).parent)
        for lock in locks:
            os.close(lock)
    if folder.is_symlink():
        folder.unlink()
