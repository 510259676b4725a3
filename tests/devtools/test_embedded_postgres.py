"""The embedded Postgres: made from nothing, shared, and stopped after its last user."""

import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from multiprocessing.context import ForkProcess
from pathlib import Path
from urllib.request import urlopen

import psutil
import psycopg2
import pytest
from sqlalchemy import make_url

from chirpy.devtools.postgres import EmbeddedPostgres as Postgres, EmbeddedPostgresError, programs
from chirpy.settings.database_url import DRIVER
from tests.conftest import a_folder, postgres_folder
from tests.support.databases import migrate
from tests.support.server import NO_SETTINGS, PROJECT, SECRETS, environment, free_port, wait_until

FORK = multiprocessing.get_context("fork")  # a child shares the locks of its parent
NO_SYNC = {"fsync": "off", "full_page_writes": "off"}
OF_THE_MACHINE = shutil.which("postgres") or Path("/usr/lib/postgresql").exists()
LONGEST_STOP = 2.0  # seconds after the last user has ended
MISLEADING = "DATA HOST PORT HOSTADDR SERVICE OPTIONS REQUIREAUTH TARGETSESSIONATTRS"  # PG…

pytestmark = [
    pytest.mark.faults,  # almost every test stops a Postgres
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A folder with Chirpy and an embedded Postgres that has its tables.

    All tests that need data share it, because new data take a second.
    """
    clone = a_folder()
    shutil.copy(PROJECT / "app.py", clone)
    for name in ("chirpy", "migrations"):
        (clone / name).symlink_to(PROJECT / name)
    (clone / "instance").mkdir()
    postgres = Postgres(postgres_folder(clone / "instance"), NO_SYNC)
    postgres.ensure_running()
    migrate(make_url(postgres.url).set(drivername=DRIVER))
    postgres.release()
    yield clone
    postgres.destroy()
    shutil.rmtree(clone)


@pytest.fixture
def postgres(clone: Path) -> Iterator[Postgres]:
    """The embedded Postgres of `clone`, stopped before and after the test."""
    postgres = Postgres(clone / "instance" / "postgres", NO_SYNC)
    wait_until(lambda: is_stopped(postgres))
    yield postgres
    postgres.release()


@pytest.fixture
def new_postgres(folder: Path) -> Iterator[Postgres]:
    """An embedded Postgres without data, below a folder that only its owner can enter."""
    folder.chmod(0o700)
    postgres = Postgres(folder / "instance" / "postgres", NO_SYNC)
    yield postgres
    postgres.destroy()


def query(postgres: Postgres, statement: str) -> object:
    with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return (cursor.fetchone() or [None])[0]


def is_up(postgres: Postgres) -> bool:
    with suppress(psycopg2.OperationalError):
        return bool(query(postgres, "SELECT true"))
    return False


def server_id(postgres: Postgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def processes(postgres: Postgres) -> list[psutil.Process]:
    """Return the processes of the server, which run in its folder, and its supervisor."""
    home = str(postgres.data.resolve().parent)  # for root, `postgres.folder` is a link
    return [
        process
        for process in psutil.process_iter(["cwd", "cmdline"])
        if (process.info["cwd"] or "").startswith(home) or home in (process.info["cmdline"] or [])
    ]


def is_stopped(postgres: Postgres) -> bool:
    """Return whether no process is left, and the data are as after a regular stop."""
    return not (postgres.data / "postmaster.pid").exists() and not processes(postgres)


def assert_stops_soon(postgres: Postgres) -> None:
    started = time.monotonic()
    wait_until(lambda: is_stopped(postgres))
    assert time.monotonic() - started < LONGEST_STOP


def kill_supervisor(postgres: Postgres) -> None:
    """Kill the supervisor. Just after the start, it is two processes or not listed yet."""

    def supervisors() -> list[psutil.Process]:
        return [process for process in processes(postgres) if process.info["cwd"] == "/"]

    wait_until(lambda: len(supervisors()) == 1)
    supervisors()[0].kill()
    wait_until(lambda: not supervisors())


def fork(act: Callable[[], object]) -> ForkProcess:
    """Run `act` in another process."""
    child = FORK.Process(target=act)
    child.start()
    return child


def succeeded(child: ForkProcess) -> bool:
    """Wait for the process, and return whether it has raised no exception."""
    child.join()
    return child.exitcode == 0


@contextmanager
def used_by_another_process(postgres: Postgres) -> Iterator[None]:
    """Let another process use it, which is killed at the end with `kill -9`."""
    child = fork(lambda: postgres.ensure_running() and signal.sigwait([signal.SIGUSR1]))
    try:
        wait_until(lambda: is_up(postgres))
        yield
    finally:
        child.kill()
        child.join()


# The server and its data


def test_postgres_that_is_not_used_makes_no_file(folder: Path) -> None:
    postgres = Postgres(folder / "instance" / "postgres")

    assert postgres.url.startswith("postgresql://chirpy@/chirpy?host=/tmp/chirpy-")
    assert list(folder.iterdir()) == []


def test_database_is_durable_utf8_and_ordered_by_code_point(postgres: Postgres) -> None:
    postgres.settings = {}
    with closing(psycopg2.connect(**postgres.ensure_running())) as connection:
        assert connection.info.dbname == connection.info.user == "chirpy"
        assert connection.info.parameter_status("server_encoding") == "UTF8"
    assert query(postgres, "SELECT 'Z' < 'a' AND 'z' < 'é' AND lower('É') = 'é'") is True
    assert query(postgres, "SHOW timezone") in ("UTC", "Etc/UTC")
    assert query(postgres, "SHOW fsync") == "on"


def test_postgres_is_open_to_its_owner_only(postgres: Postgres) -> None:
    host = Path(postgres.ensure_running()["host"])

    assert query(postgres, "SHOW listen_addresses") == ""
    assert host.stat().st_mode & 0o777 == postgres.data.stat().st_mode & 0o777 == 0o700
    assert host.stat().st_uid == postgres.data.stat().st_uid != 0


def test_environment_misleads_neither_postgres_nor_its_users(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POLKA_KEY", *(f"PG{name}" for name in MISLEADING.split())):
        monkeypatch.setenv(name, "elsewhere")
    postgres.ensure_running()

    assert is_up(postgres)
    assert "elsewhere" not in psutil.Process(server_id(postgres)).environ().values()


def test_ensure_running_starts_no_process_if_postgres_runs(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = postgres.ensure_running()
    monkeypatch.delattr(subprocess, "Popen")

    assert postgres.ensure_running() == connection


@pytest.mark.parametrize(
    "name", ["$HOME", "two spaces ", "it's", 'a"quote', "a,comma", "é" * 60 + "/" + "long" * 20]
)
def test_postgres_runs_in_a_folder_with_any_name(
    postgres: Postgres, folder: Path, name: str
) -> None:
    moved = folder / name / "postgres"
    moved.parent.mkdir(parents=True)
    postgres.folder.rename(moved)
    there = Postgres(moved, NO_SYNC)
    host = there.connection["host"]
    try:
        there.ensure_running()
        assert is_up(there)
        there.release()
        assert_stops_soon(there)
    finally:
        moved.rename(postgres.folder)
        shutil.rmtree(host)


# Users


def test_postgres_stops_after_the_last_of_two_users(postgres: Postgres) -> None:
    other = Postgres(postgres.folder)
    postgres.ensure_running()
    other.ensure_running()

    postgres.release()
    time.sleep(0.2)
    assert is_up(other)
    other.release()
    assert_stops_soon(postgres)


@pytest.mark.parametrize(
    ("command", "sent"), [("run", "SIGTERM"), ("run", "SIGINT"), ("polka storm", "SIGTERM")]
)
def test_postgres_stops_after_a_signal_to_flask(
    clone: Path, postgres: Postgres, command: str, sent: str
) -> None:
    port = free_port()
    silent = socket.create_server(("127.0.0.1", 0))  # the storm waits for its answers
    to = f"--to=http://127.0.0.1:{silent.getsockname()[1]}/api/polka/webhooks"
    options = {"run": [f"--port={port}"], "polka storm": [to, "--verify=database"]}
    command_line = [sys.executable, "-m", "flask", *command.split(), *options[command]]
    variables = environment(NO_SETTINGS | SECRETS | {"PLATFORM": "dev"})
    output = subprocess.DEVNULL

    def is_in_use() -> bool:
        with suppress(OSError):  # `flask run` starts Postgres when it answers a request
            urlopen(f"http://127.0.0.1:{port}/api/chirps").close()
        return is_up(postgres) and (command == "run" or query(postgres, "TABLE users") is not None)

    with (
        silent,
        subprocess.Popen(
            command_line, cwd=clone, env=variables, stdout=output, stderr=output
        ) as flask,
    ):
        try:
            wait_until(is_in_use)
        finally:
            flask.send_signal(signal.Signals[sent])

    assert_stops_soon(postgres)


def test_forked_process_uses_the_postgres_of_its_parent(postgres: Postgres) -> None:
    def wait_for_parent() -> None:
        released.wait()
        assert is_up(postgres)

    released = FORK.Event()
    postgres.ensure_running()
    assert succeeded(fork(postgres.release))
    child = fork(wait_for_parent)
    postgres.release()
    time.sleep(0.2)
    released.set()

    assert succeeded(child)
    assert_stops_soon(postgres)


def test_ctrl_c_for_the_user_does_not_reach_postgres(postgres: Postgres) -> None:
    postgres.ensure_running()

    assert os.getsid(0) not in {os.getsid(process.pid) for process in processes(postgres)}


def test_users_that_come_and_go_always_find_a_postgres(postgres: Postgres) -> None:
    def come_and_go() -> None:
        for pause in range(0, 15, 2):
            postgres.ensure_running()
            assert query(postgres, "SELECT true")
            postgres.release()
            time.sleep(pause / 100)

    children = [fork(come_and_go) for _ in range(3)]

    assert [succeeded(child) for child in children] == [True] * 3
    assert_stops_soon(postgres)


def test_concurrent_first_starts_share_one_postgres(new_postgres: Postgres) -> None:
    children = [fork(new_postgres.ensure_running) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: new_postgres.ensure_running(), range(4)))

    assert [succeeded(child) for child in children] == [True] * 4
    assert new_postgres.log.read_text().count("starting PostgreSQL") == 1
    assert is_up(new_postgres)


# Recovery


@pytest.mark.parametrize("killed", ["supervisor", "all processes"])
def test_first_start_that_was_killed_half_way_is_repeated(
    new_postgres: Postgres, killed: str
) -> None:
    child = fork(new_postgres.ensure_running)
    wait_until((new_postgres.folder / "data.new" / "global").exists)
    kill_supervisor(new_postgres)
    child.kill()
    child.join()
    for process in processes(new_postgres) if killed == "all processes" else []:
        with suppress(psutil.NoSuchProcess):  # initdb's programs end when their parent is killed
            process.kill()
    assert not new_postgres.data.exists()

    new_postgres.ensure_running()
    assert is_up(new_postgres)


@pytest.mark.parametrize("killed", ["user", "supervisor", "server", "supervisor and server"])
def test_postgres_keeps_its_data_after_kill_9(postgres: Postgres, killed: str) -> None:
    with used_by_another_process(postgres):
        query(postgres, "CREATE TABLE kept (); COMMIT; SELECT 1")
        first = server_id(postgres)
        if killed != "user":
            postgres.ensure_running()
        if "supervisor" in killed:
            kill_supervisor(postgres)
        if "server" in killed:
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: not is_up(postgres))  # the kernel needs a moment to end it
    if killed == "user":
        assert_stops_soon(postgres)
    postgres.ensure_running()

    assert (server_id(postgres) == first) == (killed == "supervisor")
    assert query(postgres, "DROP TABLE kept; COMMIT; SELECT 1") == 1
    postgres.release()
    assert_stops_soon(postgres)


@pytest.mark.parametrize("end", ["regular stop", "kill -9"])
def test_next_postgres_waits_for_the_last_process_of_the_old(postgres: Postgres, end: str) -> None:
    def use_the_next() -> None:
        postgres.ensure_running()
        assert is_up(postgres)
        assert server_id(postgres) != first

    postgres.ensure_running()
    first = server_id(postgres)
    with closing(psycopg2.connect(postgres.url)) as connection:
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        try:
            if end == "kill -9":
                os.kill(first, signal.SIGKILL)
            postgres.release()
            wait_until(lambda: not is_up(postgres))
            child = fork(use_the_next)
            child.join(0.3)
            was_waiting = child.is_alive()
        finally:
            os.kill(connection.info.backend_pid, signal.SIGCONT)

    assert succeeded(child)
    assert was_waiting


def test_process_id_that_is_reused_by_another_is_ignored(postgres: Postgres) -> None:
    user = postgres.data.stat().st_uid if os.geteuid() == 0 else None
    lock = Path("{host}/.s.PGSQL.{port}.lock".format_map(postgres.connection))
    with subprocess.Popen(["sleep", "60"], user=user) as unrelated:
        for file in (postgres.data / "postmaster.pid", lock):
            file.write_text(f"{unrelated.pid}\n{postgres.data}\n1\n5432\n")
        try:
            postgres.ensure_running()
            postgres.release()
            assert_stops_soon(postgres)
            assert unrelated.poll() is None
        finally:
            unrelated.kill()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_clean_stops_postgres_and_deletes_its_data(
    new_postgres: Postgres, folder: Path
) -> None:
    (folder / ".env").touch()
    (folder / "chirpy").symlink_to(PROJECT / "chirpy")
    python = f"BIN={Path(sys.executable).parent}"  # not in .venv, which it deletes
    command = ["make", "-f", str(PROJECT / "Makefile"), "clean", python]
    with used_by_another_process(new_postgres):
        home = new_postgres.folder.resolve()
        with closing(psycopg2.connect(new_postgres.url)) as connection:
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            with pytest.raises(psycopg2.Error, match=r"closed|terminat"):
                connection.cursor().execute("SELECT 1")

    assert not home.exists()
    assert not Path(new_postgres.connection["host"]).exists()
    assert sorted(path.name for path in folder.iterdir()) == [".env", "chirpy"]


# Failed starts, and programs


def test_failed_start_shows_the_messages_of_postgres(postgres: Postgres) -> None:
    postgres.settings = {"shared_buffers": "much"}

    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "shared_buffers"'):
        postgres.ensure_running()


def test_data_of_a_missing_version_are_kept_and_three_solutions_listed(postgres: Postgres) -> None:
    version_file = postgres.data / "PG_VERSION"
    version = version_file.read_text()
    version_file.write_text("13\n")
    message = r"(?s)Postgres 13, which the data in .* need.*requirements-dev.txt.*PATH.*DB_URL"
    with pytest.raises(EmbeddedPostgresError, match=message):
        postgres.ensure_running()
    version_file.write_text(version)

    assert postgres.ensure_running()


@pytest.mark.skipif(not OF_THE_MACHINE, reason="this machine has no Postgres of its own")
def test_installed_postgres_is_used_without_the_python_package(
    new_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "WHEEL", "not_installed")
    installed = new_postgres.programs()
    new_postgres.ensure_running()
    new_postgres.release()
    monkeypatch.undo()
    new_postgres.ensure_running()

    assert query(new_postgres, "SELECT 'Z' < 'a' AND 'z' < 'é'") is True
    assert new_postgres.programs() == installed


@as_root
def test_programs_that_only_root_can_enter_are_copied(
    postgres: Postgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = postgres.programs().parent
    if installed.parent.name != programs.WHEEL:
        pytest.skip("the package with Postgres is not installed")
    package = folder / programs.WHEEL
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    for part in (f"{package.name}/{installed.name}", f"{package.name}.libs"):
        (folder / part).symlink_to(installed.parents[1] / part)
    folder.chmod(0o700)
    monkeypatch.syspath_prepend(folder)
    postgres.ensure_running()

    assert postgres.programs() == package / installed.name / "bin"
    assert is_up(postgres)
    [copy] = postgres.folder.glob("programs-*")
    assert psutil.Process(server_id(postgres)).exe().startswith(str(copy))
    shutil.rmtree(copy)


# Users of the machine


@as_root
def test_socket_folder_of_another_user_is_refused(folder: Path) -> None:
    postgres = Postgres(folder / "postgres", NO_SYNC)
    planted = Path(postgres.connection["host"])
    planted.symlink_to(folder)
    os.chown(planted, 12345, 12345, follow_symlinks=False)
    try:
        with pytest.raises(EmbeddedPostgresError, match=f"{planted} belongs to user"):
            postgres.ensure_running()
    finally:
        planted.unlink()
        postgres.destroy()


@as_root
def test_root_uses_the_data_of_an_ordinary_user_as_that_user(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_as_ordinary_user() -> None:
        os.setgroups([])
        os.setgid(pwd.getpwnam("nobody").pw_gid)
        os.setuid(pwd.getpwnam("nobody").pw_uid)
        postgres.ensure_running()
        assert is_up(postgres)

    python = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
    command = [python, "-c", f"open({str(PROJECT / 'app.py')!r})"]
    if subprocess.run(command, user="nobody", stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("an ordinary user can enter neither this clone nor a Python")
    monkeypatch.setattr(sys, "executable", python)
    assert succeeded(fork(start_as_ordinary_user))
    assert_stops_soon(postgres)
    postgres.ensure_running()

    assert {path.owner() for path in postgres.folder.rglob("*")} == {"nobody"}


@as_root
def test_data_of_root_are_in_var_lib_and_a_copied_project_does_not_use_them(
    new_postgres: Postgres, folder: Path
) -> None:
    new_postgres.ensure_running()
    home = new_postgres.folder.readlink()
    subprocess.run(["cp", "-a", folder / "instance", folder / "copy"], check=True)
    Postgres(folder / "copy" / "postgres").destroy()

    assert home.parent == Path("/var/lib/chirpy")
    assert home.stat().st_mode & 0o777 == 0o700
    assert is_up(new_postgres)
    assert folder.stat().st_mode & 0o777 == 0o700
