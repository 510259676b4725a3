"""Start the server of one folder, and stop it when its last user has ended.

The application runs this file by its path; it imports the standard library only, to start fast. A
process stays behind and waits for the lock of all users, which the kernel releases after `kill -9`.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

# Lock files. Unlike a process id, a lock cannot belong to an unrelated process.
USERS = "users.lock"  # shared by the processes that use the server
SUPERVISOR = "supervisor.lock"  # held by the supervisor, or to delete the data
SERVER = "alive.lock"  # inherited by all processes of the server
PORT = 5432  # part of the socket's name; the server does not listen on the network
PAUSE = 0.02  # seconds between two checks

# No password: a user who can open the socket (folder of mode 0700) can read the data files anyway.
INITDB = "--pgdata=data.new --username=chirpy --auth=trust --encoding=UTF8"
# Order strings by code point on every machine. C is the last resort: its lower() is for ASCII.
LOCALES = ("C --locale-provider=builtin --builtin-locale=C.UTF-8", "C.UTF-8", "C")
SINGLE = "--single -D data.new --exit_on_error=on"


def socket_path(home: Path) -> Path:
    """Return the path of the socket: at most 103 bytes, and the same for every TMPDIR."""
    return Path(f"/tmp/chirpy-{sha256(os.fsencode(home)).hexdigest()[:16]}/.s.PGSQL.{PORT}")  # noqa: S108 - its folder has mode 0700


def open_file(path: Path) -> int:
    """Open a lock or log file, which belongs to the owner of its folder."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    if os.geteuid() == 0:
        os.fchown(descriptor, path.parent.stat().st_uid, path.parent.stat().st_gid)
    return descriptor


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Return whether the lock was free. Does not wait."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True
    return False


def is_ready(home: Path) -> bool:
    """Return whether a server accepts connections and is neither starting nor stopping."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        with suppress(BlockingIOError, TimeoutError):  # the queue of a busy server is full
            client.connect(str(socket_path(home)))
        return (home / "data" / "postmaster.pid").read_bytes().rstrip().endswith(b"\nready")
    return False


def as_owner(home: Path) -> dict[str, Any]:
    """Return the arguments of `subprocess` that run a program in `home` as its owner."""
    owner = home.stat()
    user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    return {"cwd": home, **(user if owner.st_uid != os.geteuid() else {})}


def send_signal(home: Path, name: str) -> None:
    """Send a signal to the server, with the rights of its owner only."""
    command = ["/bin/sh", "-c", f'read pid < data/postmaster.pid && kill -{name} "$pid"']
    subprocess.run(command, stderr=subprocess.DEVNULL, check=False, **as_owner(home))


def start(home: Path, programs: str, settings: list[str]) -> None:
    """Start the server, or keep one that lost its supervisor."""
    server_lock = open_file(home / SERVER)
    deadline = time.monotonic() + 60  # seconds, for a server of another supervisor
    while not is_ready(home):
        if try_lock(server_lock):
            make_data(home, programs, server_lock, fast="fsync=off" in settings)
            start_postgres(home, programs, settings, server_lock)
        elif time.monotonic() > deadline:
            sys.exit("A Postgres started earlier neither accepts connections nor ends.")
        time.sleep(PAUSE)
    os.close(server_lock)


def make_data(home: Path, programs: str, server_lock: int, *, fast: bool) -> None:
    """Make the data folder with the database `chirpy`, and rename it when it is complete."""
    if (home / "data").exists():
        return
    options = {"stdout": subprocess.DEVNULL, "pass_fds": [server_lock], **as_owner(home)}
    for locale in LOCALES:
        shutil.rmtree(home / "data.new", ignore_errors=True)
        initdb = [f"{programs}/initdb", *f"{INITDB} --locale={locale}".split()]
        if subprocess.run([*initdb, *["--no-sync"] * fast], check=False, **options).returncode == 0:
            break
    single = [f"{programs}/postgres", *SINGLE.split(), *["-F"] * fast, "postgres"]
    made = subprocess.run(single, input=b"CREATE DATABASE chirpy\n", check=False, **options)
    if made.returncode != 0:
        sys.exit(f"{home}/data could not be made.")
    (home / "data.new").rename(home / "data")


def start_postgres(home: Path, programs: str, settings: list[str], server_lock: int) -> None:
    """Start the server and wait until it is ready. Exit with its messages if it ends."""
    # The process ids in these files may belong to other processes by now: Postgres would not start.
    (home / "data" / "postmaster.pid").unlink(missing_ok=True)
    socket_path(home).with_suffix(f".{PORT}.lock").unlink(missing_ok=True)
    log = open_file(home / "server.log")
    start_of_messages = os.fstat(log).st_size
    ours = [f"unix_socket_directories={socket_path(home).parent}", "listen_addresses="]
    options = [f"--{setting}" for setting in (*ours, f"port={PORT}", *settings)]
    command = [f"{programs}/postgres", "-D", "data", *options]
    files = {"stdout": log, "stderr": log, "pass_fds": [server_lock], **as_owner(home)}
    server = subprocess.Popen(command, **files)
    while not is_ready(home):
        if server.poll() is not None:
            sys.exit(os.pread(log, 2**14, start_of_messages).decode(errors="replace"))
        time.sleep(PAUSE)


def stop_when_unused(home: Path) -> None:
    """Stop the server when no process uses it; new users wait until it has stopped."""
    fcntl.flock(open_file(home / USERS), fcntl.LOCK_EX)
    send_signal(home, "INT")


def supervise(home: Path) -> None:
    """Stay in the background until the server has ended."""
    if os.fork():
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    Thread(target=stop_when_unused, args=[home], daemon=True).start()
    fcntl.flock(open_file(home / SERVER), fcntl.LOCK_EX)
    os._exit(0)


if __name__ == "__main__":
    home_folder = Path(sys.argv[1])
    if try_lock(open_file(home_folder / SUPERVISOR)):  # otherwise another supervisor is at work
        start(home_folder, sys.argv[2], sys.argv[3:])
        supervise(home_folder)
