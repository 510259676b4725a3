"""The embedded Postgres: made from nothing, shared, and stopped after its last user."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from chirpy.database.engine import db
from chirpy.devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError, programs, supervisor
from chirpy.devtools.postgres.home import SHELTER, home_of
from chirpy.settings import DRIVER
from tests.conftest import a_folder, postgres_folder
from tests.support.databases import an_app
from tests.support.server import NO_SETTINGS, PROJECT, SECRETS, environment, free_port, wait_until

NO_SYNC = {"fsync": "off", "full_page_writes": "off"}
ORDINARY = pwd.getpwnam("nobody")
LONGEST_STOP = 2.0  # seconds after the last user has ended
BUSY_SECOND = "DO $$BEGIN WHILE clock_timestamp() < now() + '1 s' LOOP END LOOP; END$$"

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(scope="module")
def used_before() -> Iterator[Path]:
    """The folder of a server that has run: its data are made once, which takes a second."""
    parent = a_folder()
    made = EmbeddedPostgres(postgres_folder(parent), NO_SYNC)
    made.ensure_running()
    made.release()
    yield made.folder
    made.destroy()
    shutil.rmtree(parent)


@pytest.fixture
def postgres(used_before: Path) -> Iterator[EmbeddedPostgres]:
    """An embedded Postgres with data that is stopped, before and after the test."""
    postgres = EmbeddedPostgres(used_before, NO_SYNC)
    wait_until(lambda: is_stopped(postgres))
    yield postgres
    postgres.release()


@pytest.fixture
def new_postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """An embedded Postgres without data, below a folder that only its owner can enter."""
    folder.chmod(0o700)
    postgres = EmbeddedPostgres(folder / "instance" / "postgres", NO_SYNC)
    yield postgres
    postgres.destroy()


@pytest.fixture
def copy(folder: Path) -> Iterator[EmbeddedPostgres]:
    """The embedded Postgres of a copy of Chirpy, below a folder that only its owner can enter."""
    folder.chmod(0o700)
    for part in ("chirpy", "migrations"):
        shutil.copytree(PROJECT / part, folder / part)
    shutil.copy(PROJECT / "app.py", folder)
    postgres = EmbeddedPostgres(folder / "instance" / "postgres", NO_SYNC)
    postgres.ensure_running()
    postgres.release()
    wait_until(lambda: is_stopped(postgres))
    yield postgres
    postgres.destroy()


def query(postgres: EmbeddedPostgres, statement: str) -> object:
    with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return (cursor.fetchone() or [None])[0]


def server_id(postgres: EmbeddedPostgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def is_up(postgres: EmbeddedPostgres) -> bool:
    with suppress(psycopg2.OperationalError):
        return bool(query(postgres, "SELECT true"))
    return False


def is_stopped(postgres: EmbeddedPostgres) -> bool:
    """Whether no process of the server is left, and its data are as after a regular stop."""
    with (home_of(postgres.folder) / supervisor.SERVER).open() as lock:
        return (
            supervisor.try_lock(lock.fileno()) and not (postgres.data / "postmaster.pid").exists()
        )


def assert_stops_soon(postgres: EmbeddedPostgres) -> None:
    started = time.monotonic()
    wait_until(lambda: is_stopped(postgres))
    assert time.monotonic() - started < LONGEST_STOP


def fork(act: Callable[[], object]) -> int:
    """Run `act` in a process of its own, which ends with status 0 if nothing is raised."""
    if child := os.fork():
        return child
    status = 1
    try:
        act()
        status = 0
    finally:
        os._exit(status)


def succeeded(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def become_ordinary() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(ORDINARY.pw_gid)
        os.setuid(ORDINARY.pw_uid)


@contextmanager
def used_by_another_process(postgres: EmbeddedPostgres) -> Iterator[int]:
    """Let another process use it, which is killed at the end with `kill -9`."""
    child = fork(lambda: postgres.ensure_running() and signal.sigwait([signal.SIGUSR1]))
    try:
        wait_until(lambda: is_up(postgres))
        yield child
    finally:
        kill(child)


# The server and its data


def test_creating_the_object_makes_no_file(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "instance" / "postgres")

    assert postgres.url.startswith("postgresql://chirpy@/chirpy?host=/tmp/chirpy-")
    assert list(folder.iterdir()) == []


def test_first_start_makes_a_durable_database_with_the_same_order_everywhere(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "instance" / "postgres")
    try:
        with closing(psycopg2.connect(**postgres.ensure_running())) as connection:
            assert connection.info.dbname == connection.info.user == "chirpy"
            assert connection.info.parameter_status("server_encoding") == "UTF8"
        assert query(postgres, "SELECT 'Z' < 'a' AND 'z' < 'é' AND lower('É') = 'é'") is True
        assert query(postgres, "SHOW timezone") in ("UTC", "Etc/UTC")
        assert query(postgres, "SHOW fsync") == "on"
    finally:
        postgres.destroy()


def test_settings_reach_the_server_and_data_are_kept(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_running()
    query(postgres, "CREATE TABLE kept (); COMMIT; SELECT 1")
    postgres.release()
    assert_stops_soon(postgres)
    postgres.ensure_running()

    assert query(postgres, "SHOW fsync") == "off"
    assert query(postgres, "SELECT count(*) FROM kept") == 0
    query(postgres, "DROP TABLE kept; COMMIT; SELECT 1")


def test_server_is_open_to_its_owner_only(postgres: EmbeddedPostgres) -> None:
    host = Path(postgres.ensure_running()["host"])

    assert query(postgres, "SHOW listen_addresses") == ""
    assert host.stat().st_mode & 0o777 == postgres.data.stat().st_mode & 0o777 == 0o700
    assert host.stat().st_uid == postgres.data.stat().st_uid != 0


def test_environment_misleads_neither_the_server_nor_its_users(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGHOST", "PGPORT", "PGSERVICE", "PGHOSTADDR", "PGOPTIONS", "POLKA_KEY"):
        monkeypatch.setenv(name, "elsewhere")
    postgres.ensure_running()

    assert is_up(postgres)
    monkeypatch.undo()
    if Path("/proc/self/environ").exists():
        assert b"elsewhere" not in Path(f"/proc/{server_id(postgres)}/environ").read_bytes()


def test_running_server_costs_no_process(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = postgres.ensure_running()
    monkeypatch.delattr(subprocess, "Popen")

    assert postgres.ensure_running() == connection


@pytest.mark.parametrize(
    "name", ["$HOME", "two spaces ", "it's", 'a"quote', "a,comma", "é" * 60 + "/" + "long" * 20]
)
def test_folder_may_have_any_name(postgres: EmbeddedPostgres, folder: Path, name: str) -> None:
    moved = folder / name / "postgres"
    moved.parent.mkdir(parents=True)
    postgres.folder.rename(moved)
    there = EmbeddedPostgres(moved, NO_SYNC)
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


def test_last_of_two_users_stops_the_server(postgres: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(postgres.folder)
    postgres.ensure_running()
    other.ensure_running()

    postgres.release()
    time.sleep(0.2)
    assert is_up(other)
    other.release()
    assert_stops_soon(postgres)


def test_kill_9_of_the_last_user_stops_the_server(postgres: EmbeddedPostgres) -> None:
    with used_by_another_process(postgres):
        pass

    assert_stops_soon(postgres)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_signal_to_flask_run_leaves_no_postgres(copy: EmbeddedPostgres, name: str) -> None:
    port = free_port()
    flask = subprocess.Popen(
        [sys.executable, "-m", "flask", "run", f"--port={port}"],
        cwd=copy.folder.parents[1],
        env=environment(NO_SETTINGS | SECRETS),
        stderr=subprocess.DEVNULL,
    )
    ask = [
        sys.executable,
        "-c",
        f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/api/chirps')",
    ]
    wait_until(
        lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0 or is_up(copy)
    )
    flask.send_signal(signal.Signals[name])
    flask.wait()

    assert_stops_soon(copy)


def test_forked_process_uses_the_server_of_its_parent(postgres: EmbeddedPostgres) -> None:
    def wait_for_parent() -> None:
        os.read(told, 1)
        assert is_up(postgres)

    told, tell = os.pipe()
    postgres.ensure_running()
    assert succeeded(fork(postgres.release))
    child = fork(wait_for_parent)
    postgres.release()
    time.sleep(0.2)
    os.write(tell, b"!")

    assert succeeded(child)
    assert_stops_soon(postgres)
    os.close(told)
    os.close(tell)


def test_ctrl_c_and_sigterm_to_the_group_of_the_user_do_not_reach_the_server(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.ensure_running()

    assert os.getsid(server_id(postgres)) != os.getsid(0)


def test_users_that_come_and_go_always_find_a_server(postgres: EmbeddedPostgres) -> None:
    def come_and_go() -> None:
        for pause in range(15):
            postgres.ensure_running()
            assert query(postgres, "SELECT true")
            postgres.release()
            time.sleep(pause / 100)

    children = [fork(come_and_go) for _ in range(3)]

    assert [succeeded(child) for child in children] == [True] * 3
    assert_stops_soon(postgres)


def test_user_waits_while_the_server_is_being_stopped(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_running()
    first = server_id(postgres)
    with closing(psycopg2.connect(postgres.url)):
        postgres.release()
        wait_until(lambda: not supervisor.is_ready(home_of(postgres.folder)))
        postgres.ensure_running()

    assert is_up(postgres)
    assert server_id(postgres) != first


def test_first_starts_at_once_share_one_server(new_postgres: EmbeddedPostgres) -> None:
    threads = [Thread(target=new_postgres.ensure_running) for _ in range(4)]
    children = [fork(new_postgres.ensure_running) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [succeeded(child) for child in children] == [True] * 4
    assert new_postgres.log.read_text().count("starting PostgreSQL") == 1
    assert is_up(new_postgres)


# Recovery


def test_start_that_was_killed_half_way_is_repeated(new_postgres: EmbeddedPostgres) -> None:
    child = fork(new_postgres.ensure_running)
    home = home_of(new_postgres.folder)
    wait_until((home / "data.new" / "global").exists)
    kill_supervisor(new_postgres)
    kill(child)
    assert not new_postgres.data.exists()

    new_postgres.ensure_running()
    assert is_up(new_postgres)


def test_killed_server_is_started_again_after_its_last_process(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_running()
    with closing(psycopg2.connect(postgres.url)) as connection:

        def keep_busy() -> None:
            with suppress(psycopg2.OperationalError):
                connection.cursor().execute(BUSY_SECOND)

        busy = Thread(target=keep_busy)
        busy.start()
        wait_until(lambda: query(postgres, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO%'"))
        os.kill(server_id(postgres), signal.SIGKILL)
        wait_until(lambda: not is_up(postgres))
        postgres.ensure_running()
        busy.join()

    assert is_up(postgres)


def test_server_whose_supervisor_was_killed_gets_another(postgres: EmbeddedPostgres) -> None:
    postgres.ensure_running()
    first = server_id(postgres)
    kill_supervisor(postgres)
    postgres.ensure_running()

    assert server_id(postgres) == first
    postgres.release()
    assert_stops_soon(postgres)


def test_start_after_kill_9_of_everything(postgres: EmbeddedPostgres) -> None:
    with used_by_another_process(postgres):
        kill_supervisor(postgres)
        os.kill(server_id(postgres), signal.SIGKILL)

    postgres.ensure_running()
    assert is_up(postgres)


def kill_supervisor(postgres: EmbeddedPostgres) -> None:
    """Kill the supervisor; just after the start, two processes have its name or none is listed."""
    name = f"supervisor.py {home_of(postgres.folder)} "

    def supervisors() -> list[str]:
        found = subprocess.run(["pgrep", "-f", name], capture_output=True, text=True, check=False)
        return found.stdout.split()

    wait_until(lambda: len(supervisors()) == 1)
    os.kill(int(supervisors()[0]), signal.SIGKILL)
    wait_until(lambda: not supervisors())


def test_reused_process_id_in_the_files_of_the_server_is_ignored(
    postgres: EmbeddedPostgres,
) -> None:
    user = postgres.data.stat().st_uid if os.geteuid() == 0 else None
    socket = supervisor.socket_path(postgres.folder)
    with subprocess.Popen(["sleep", "60"], user=user) as unrelated:
        for file in (postgres.data / "postmaster.pid", socket.with_name(f"{socket.name}.lock")):
            file.write_text(f"{unrelated.pid}\n{postgres.data}\n1\n5432\n")
        postgres.ensure_running()
        postgres.release()
        assert_stops_soon(postgres)
        assert unrelated.poll() is None
        unrelated.kill()


def test_destroy_stops_a_server_in_use_and_deletes_everything(
    new_postgres: EmbeddedPostgres,
) -> None:
    with used_by_another_process(new_postgres):
        home = home_of(new_postgres.folder)
        remove = ["-m", "chirpy.devtools.postgres", "remove", str(new_postgres.folder)]
        with closing(psycopg2.connect(new_postgres.url)) as connection:
            subprocess.run([sys.executable, *remove], cwd=PROJECT, check=True)
            with pytest.raises(psycopg2.Error, match=r"closed|terminat"):
                connection.cursor().execute("SELECT 1")

    assert not home.exists()
    assert not os.path.lexists(new_postgres.folder)
    assert not Path(new_postgres.connection["host"]).exists()


# Errors


def test_failed_start_shows_the_messages_of_the_server(postgres: EmbeddedPostgres) -> None:
    broken = EmbeddedPostgres(postgres.folder, {"shared_buffers": "much"})

    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "shared_buffers"'):
        broken.ensure_running()
    broken.release()


def test_sqlalchemy_treats_the_error_as_a_failed_connection(postgres: EmbeddedPostgres) -> None:
    broken = EmbeddedPostgres(postgres.folder, {"shared_buffers": "much"})

    with (
        an_app(URL.create(DRIVER), broken.ensure_running, db_url=None) as app,
        app.app_context(),
        pytest.raises(OperationalError, match="Postgres did not start"),
    ):
        db.engine.connect()
    broken.release()


def test_data_of_a_missing_version_are_left_alone(postgres: EmbeddedPostgres) -> None:
    version = (postgres.data / "PG_VERSION").read_text()
    (postgres.data / "PG_VERSION").write_text("13\n")

    with pytest.raises(EmbeddedPostgresError, match=r"Postgres 13, which the data in .* need"):
        postgres.ensure_running()
    (postgres.data / "PG_VERSION").write_text(version)
    postgres.ensure_running()


def test_without_programs_the_message_lists_three_solutions(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "candidates", list)

    with pytest.raises(EmbeddedPostgresError) as caught:
        postgres.ensure_running()
    for solution in ("requirements-dev.txt", "PATH", "DB_URL"):
        assert solution in str(caught.value)


def test_postgres_of_the_machine_is_used_without_the_package(
    new_postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "WHEEL", "not_installed")
    found = [path for path in programs.candidates() if programs.version_of(path) != "0"]
    if not found:
        pytest.skip("this machine has no Postgres of its own")
    new_postgres.ensure_running()
    new_postgres.release()
    monkeypatch.undo()
    new_postgres.ensure_running()

    assert query(new_postgres, "SELECT 'Z' < 'a' AND 'z' < 'é'") is True
    assert new_postgres.programs() == found[0]


def test_folder_that_cannot_be_written_is_reported(folder: Path) -> None:
    def start_as_ordinary_user() -> None:
        become_ordinary()
        with pytest.raises(EmbeddedPostgresError, match="made or entered: Permission denied"):
            EmbeddedPostgres(folder / "instance" / "postgres").ensure_running()

    folder.chmod(0o555)
    assert succeeded(fork(start_as_ordinary_user))
    folder.chmod(0o755)


@as_root
def test_socket_folder_of_another_user_is_refused(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / "postgres", NO_SYNC)
    planted = Path(postgres.connection["host"])
    planted.symlink_to(folder)
    os.chown(planted, 12345, 12345, follow_symlinks=False)
    try:
        with pytest.raises(EmbeddedPostgresError, match=f"{planted} belongs to user"):
            postgres.ensure_running()
    finally:
        planted.unlink()
        postgres.destroy()


# Users of the machine


@as_root
def test_data_of_another_user_are_refused(postgres: EmbeddedPostgres) -> None:
    def start_as_another_user() -> None:
        os.setuid(ORDINARY.pw_uid - 1)
        with pytest.raises(EmbeddedPostgresError, match=r"belongs to user .*sudo rm -r"):
            EmbeddedPostgres(postgres.folder).ensure_running()

    assert succeeded(fork(start_as_another_user))


@as_root
def test_ordinary_user_and_root_share_the_data_of_the_user(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_as_ordinary_user() -> None:
        become_ordinary()
        postgres.ensure_running()
        assert is_up(postgres)

    run = [python_for_everyone(), "-I", supervisor.__file__]
    if (
        b"IndexError"
        not in subprocess.run(run, user=ORDINARY.pw_uid, capture_output=True, check=False).stderr
    ):
        pytest.skip("an ordinary user can enter neither this clone nor a Python")
    monkeypatch.setattr(sys, "executable", run[0])
    assert succeeded(fork(start_as_ordinary_user))
    assert_stops_soon(postgres)
    postgres.ensure_running()
    assert {path.owner() for path in postgres.folder.rglob("*")} == {ORDINARY.pw_name}


def python_for_everyone() -> str:
    """Return a Python that is not below /root, if there is one."""
    return shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable


@as_root
def test_data_of_root_are_in_var_lib_and_a_copied_project_does_not_use_them(
    new_postgres: EmbeddedPostgres,
) -> None:
    new_postgres.ensure_running()
    home = new_postgres.folder.readlink()
    copy = new_postgres.folder.parents[1] / "copy"
    subprocess.run(["cp", "-a", new_postgres.folder.parent, copy], check=True)
    EmbeddedPostgres(copy / "postgres").destroy()

    assert home.parent == SHELTER
    assert home.stat().st_mode & 0o777 == 0o700
    assert is_up(new_postgres)
    assert new_postgres.folder.parents[1].stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_that_only_root_can_enter_are_copied(
    new_postgres: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = next(programs.candidates())
    if programs.WHEEL not in source.parts:
        pytest.skip("the package with Postgres is not installed")
    package = folder / programs.WHEEL
    unused = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(source.parent, package / source.parent.name, ignore=unused)
    libraries = f"{programs.WHEEL}.libs"
    shutil.copytree(source.parents[2] / libraries, folder / libraries)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(folder)
    new_postgres.ensure_running()

    assert is_up(new_postgres)
    assert new_postgres.programs() == package / source.parent.name / "bin"
    assert list(new_postgres.folder.glob("programs-*/*/*/bin/postgres"))
