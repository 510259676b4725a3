"""The private Postgres: made from nothing, shared, and back on its feet whatever was killed."""

import logging
import os
import pwd
import select
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

from chirpy.devtools.postgres import (
    PostgresFailed,
    PostgresMissing,
    PrivatePostgres,
    binaries,
    locks,
    shelter,
)
from chirpy.devtools.postgres.owner import Owner
from chirpy.devtools.postgres.place import Place
from tests.conftest import a_folder
from tests.support.server import PROJECT, wait_until

THROWAWAY = {"fsync": "off", "full_page_writes": "off"}
ORDINARY = pwd.getpwnam("nobody")
BUSY_SECOND = "DO $$BEGIN WHILE clock_timestamp() < now() + '1 s' LOOP END LOOP; END$$"

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def postgres(folder: Path) -> Iterator[PrivatePostgres]:
    """A private Postgres that nobody has started yet."""
    postgres = PrivatePostgres(folder / "instance" / "postgres", THROWAWAY)
    yield postgres
    postgres.destroy()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The folder of a cluster that has run before: making one takes a second."""
    path = a_folder()
    made = PrivatePostgres(path / "postgres", THROWAWAY)
    made.ensure_running()
    made.release()
    yield made.folder
    made.destroy()
    shutil.rmtree(path)


@pytest.fixture
def kept(home: Path) -> Iterator[PrivatePostgres]:
    """A private Postgres that has run before and is stopped."""
    postgres = PrivatePostgres(home, THROWAWAY)
    yield postgres
    if (postgres.data / "postmaster.pid").exists():
        postgres.ensure_running()
    postgres.release()


@pytest.fixture(scope="module")
def sheltered() -> Iterator[PrivatePostgres]:
    """A private Postgres of a project that only root may enter."""
    project = a_folder()
    project.chmod(0o700)
    postgres = PrivatePostgres(project / "instance" / "postgres", THROWAWAY)
    yield postgres
    postgres.destroy()
    shutil.rmtree(project)


def ask(postgres: PrivatePostgres, question: str) -> object:
    with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return (cursor.fetchone() or [None])[0]


def server(postgres: PrivatePostgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def is_up(postgres: PrivatePostgres) -> bool:
    with suppress(psycopg2.OperationalError):
        return bool(ask(postgres, "SELECT true"))
    return False


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


@contextmanager
def held_by_another_process(postgres: PrivatePostgres) -> Iterator[None]:
    """Let another process hold it, which is killed at the end and has no time to let go."""
    child = fork(lambda: postgres.ensure_running() and signal.sigwait([signal.SIGUSR1]))
    try:
        wait_until(lambda: is_up(postgres))
        yield
    finally:
        kill(child)


def ended_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def become_ordinary() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(ORDINARY.pw_gid)
        os.setuid(ORDINARY.pw_uid)


def test_naming_one_makes_nothing(folder: Path) -> None:
    PrivatePostgres(folder / "instance" / "postgres")

    assert list(folder.iterdir()) == []


def test_the_first_start_makes_a_durable_database_that_is_the_same_everywhere(folder: Path) -> None:
    postgres = PrivatePostgres(folder / "instance" / "postgres")
    try:
        with closing(psycopg2.connect(**postgres.ensure_running())) as connection:
            assert connection.info.dbname == connection.info.user == "chirpy"
            assert connection.info.parameter_status("server_encoding") == "UTF8"
        assert ask(postgres, "SELECT 'Z' < 'a' AND 'z' < 'é'") is True
        assert ask(postgres, "SHOW timezone") == "UTC"
        assert ask(postgres, "SHOW fsync") == "on"
        assert ask(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = user") is True
    finally:
        postgres.destroy()


def test_settings_reach_the_server(kept: PrivatePostgres) -> None:
    kept.ensure_running()

    assert ask(kept, "SHOW fsync") == "off"


def test_it_listens_to_nobody_but_its_owner(kept: PrivatePostgres) -> None:
    host = Path(kept.ensure_running()["host"])

    assert ask(kept, "SHOW listen_addresses") == ""
    assert ask(kept, "SHOW unix_socket_directories") == f'"{host}"'
    assert host.stat().st_mode & 0o777 == kept.data.stat().st_mode & 0o777 == 0o700
    assert host.stat().st_uid == kept.data.stat().st_uid != 0


def test_asking_for_it_again_runs_no_program_and_takes_no_lock(
    kept: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kept.ensure_running()
    monkeypatch.delattr(Owner, "run")
    monkeypatch.delattr(locks, "open_file")

    assert kept.ensure_running() == first
    monkeypatch.undo()


def test_the_environment_does_not_reach_the_server(
    kept: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGDATA", "PGHOST", "PGPORT", "PGOPTIONS", "PGDATABASE", "POLKA_KEY"):
        monkeypatch.setenv(name, "somewhere-else")

    kept.ensure_running()
    monkeypatch.undo()

    assert is_up(kept)
    if Path("/proc/self/environ").exists():
        assert b"somewhere" not in Path(f"/proc/{server(kept)}/environ").read_bytes()


def test_the_data_outlive_a_stop(kept: PrivatePostgres) -> None:
    kept.ensure_running()
    ask(kept, "CREATE TABLE kept (); COMMIT; SELECT 1")
    kept.release()
    kept.ensure_running()

    assert ask(kept, "SELECT count(*) FROM kept") == 0
    ask(kept, "DROP TABLE kept; COMMIT; SELECT 1")


def test_the_last_of_its_holders_stops_it(kept: PrivatePostgres) -> None:
    other = PrivatePostgres(kept.folder)
    kept.ensure_running()
    other.ensure_running()

    kept.release()
    assert is_up(kept)
    other.release()
    assert not is_up(kept)


def test_a_process_that_ends_stops_it(kept: PrivatePostgres) -> None:
    script = f"""
import atexit, pathlib
from chirpy.devtools.postgres import PrivatePostgres
postgres, before = PrivatePostgres(pathlib.Path({str(kept.folder)!r})), atexit._ncallbacks()
postgres.ensure_running()
postgres.release()
postgres.ensure_running()
assert atexit._ncallbacks() == before + 1"""
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True)

    assert not is_up(kept)
    assert not (kept.data / "postmaster.pid").exists()


def test_a_process_that_was_killed_leaves_it_to_the_next(kept: PrivatePostgres) -> None:
    with held_by_another_process(kept):
        left_behind = server(kept)

    kept.ensure_running()
    assert server(kept) == left_behind
    kept.release()
    assert not is_up(kept)


def test_a_killed_server_is_back_at_once_even_with_an_orphan(kept: PrivatePostgres) -> None:
    kept.ensure_running()
    with closing(psycopg2.connect(kept.url)) as connection:

        def keep_busy() -> None:
            with suppress(psycopg2.OperationalError):
                connection.cursor().execute(BUSY_SECOND)

        busy = Thread(target=keep_busy)
        busy.start()
        wait_until(lambda: ask(kept, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO%'"))
        os.kill(server(kept), signal.SIGKILL)
        wait_until(lambda: not is_up(kept))
        kept.ensure_running()
        busy.join()

    assert is_up(kept)


@pytest.mark.parametrize("kind", ["stranger", "zombie"])
def test_a_process_id_that_was_given_to_another_is_no_server(
    kept: PrivatePostgres, kind: str
) -> None:
    user = kept.data.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=user) as stranger:
        if kind == "zombie":
            os.kill(stranger.pid, signal.SIGKILL)
        for file in (kept.data / "postmaster.pid", kept.folder / ".s.PGSQL.5432.lock"):
            file.write_text(f"{stranger.pid}\n{kept.data}\n1\n5432\n")
        kept.ensure_running()
        kept.release()
        assert kind == "zombie" or stranger.poll() is None
        stranger.kill()


def test_a_first_start_that_was_killed_half_way_is_made_good(postgres: PrivatePostgres) -> None:
    child = fork(postgres.ensure_running)
    wait_until((postgres.folder / "data.new" / "global").exists)
    kill(child)
    assert not postgres.data.exists()

    postgres.ensure_running()
    assert is_up(postgres)


def test_eight_first_starts_at_once_share_one_server(postgres: PrivatePostgres) -> None:
    children = [fork(postgres.ensure_running) for _ in range(8)]

    assert {ended_well(child) for child in children} == {True}
    assert postgres.log.read_text().count("starting PostgreSQL") == 1
    assert is_up(postgres)


def test_a_start_waits_for_the_stop_that_was_decided_before(
    kept: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide_slowly(place: Place) -> bool:
        decided = nobody_holds(place)
        os.write(tell, b"!")
        time.sleep(0.2)
        return decided

    def come_and_go() -> None:
        kept.ensure_running()
        kept.release()

    told, tell = os.pipe()
    nobody_holds = locks.nobody_holds
    monkeypatch.setattr(locks, "nobody_holds", decide_slowly)
    child = fork(come_and_go)
    os.read(told, 1)
    kept.ensure_running()
    assert ended_well(child)

    assert is_up(kept)
    os.close(told)
    os.close(tell)


def test_a_forked_child_leaves_its_parent_the_server(kept: PrivatePostgres) -> None:
    kept.ensure_running()

    assert ended_well(fork(kept.release))
    assert is_up(kept)

    def hold_and_let_go() -> None:
        kept.ensure_running()
        kept.release()

    assert ended_well(fork(hold_and_let_go))
    assert is_up(kept)


def test_a_parent_leaves_its_forked_child_the_server(kept: PrivatePostgres) -> None:
    def hold_until_told() -> None:
        kept.ensure_running()
        os.read(told, 1)
        assert is_up(kept)
        kept.release()

    told, tell = os.pipe()
    kept.ensure_running()
    child = fork(hold_until_told)
    kept.release()
    assert is_up(kept)
    os.write(tell, b"!")

    assert ended_well(child)
    assert not is_up(kept)
    os.close(told)
    os.close(tell)


def test_ctrl_c_in_the_terminal_does_not_reach_it(kept: PrivatePostgres) -> None:
    def start_in_a_foreground_group() -> None:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        kept.ensure_running()
        os.killpg(0, signal.SIGINT)

    assert ended_well(fork(start_in_a_foreground_group))
    time.sleep(0.1)
    assert is_up(kept)
    assert os.getsid(server(kept)) != os.getsid(0)


def test_it_keeps_no_pipe_of_its_starter_open(kept: PrivatePostgres) -> None:
    def start_into_the_pipe() -> None:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        kept.ensure_running()

    reading, writing = os.pipe()
    child = fork(start_into_the_pipe)
    os.close(writing)
    assert ended_well(child)

    assert is_up(kept)
    assert select.select([reading], [], [], 2)[0]
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_folder_too_deep_for_a_socket_gets_a_short_private_one(
    kept: PrivatePostgres, folder: Path
) -> None:
    deep = folder / ("it's deep " * 10) / "$HOME" / "postgres"
    deep.parent.mkdir(parents=True)
    kept.folder.rename(deep)
    postgres = PrivatePostgres(deep)
    host = Path(postgres.ensure_running()["host"])
    assert is_up(postgres)
    assert host.stat().st_mode & 0o777 == 0o700
    postgres.release()
    deep.rename(kept.folder)

    assert not host.exists()


def test_a_short_folder_that_somebody_else_made_is_refused(folder: Path) -> None:
    postgres = PrivatePostgres(folder / "split, by libpq" / "postgres", THROWAWAY)
    planted = Path(postgres.connection["host"])
    planted.symlink_to(folder)
    try:
        with pytest.raises(PostgresFailed, match="is not ours"):
            postgres.ensure_running()
    finally:
        planted.unlink()
        postgres.destroy()


def test_a_start_that_fails_shows_what_the_server_said(kept: PrivatePostgres) -> None:
    broken = PrivatePostgres(kept.folder, {"shared_buffers": "much"})

    with pytest.raises(PostgresFailed, match='invalid value for parameter "shared_buffers"'):
        broken.ensure_running()
    broken.release()


def test_data_of_a_version_that_is_not_here_are_left_alone(kept: PrivatePostgres) -> None:
    version = (kept.data / "PG_VERSION").read_text()
    (kept.data / "PG_VERSION").write_text("13\n")

    with pytest.raises(PostgresMissing, match="of Postgres 13"):
        kept.ensure_running()
    (kept.data / "PG_VERSION").write_text(version)
    kept.ensure_running()


def without_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "not_installed")


def test_without_any_postgres_the_message_tells_three_ways_out(
    postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_wheel(monkeypatch)
    monkeypatch.setattr(binaries, "USUAL_PLACES", ())
    monkeypatch.setenv("PATH", "")

    with pytest.raises(PostgresMissing) as caught:
        postgres.ensure_running()
    for way_out in ("requirements-dev.txt", "package manager", "DB_URL"):
        assert way_out in str(caught.value)


def test_the_machines_own_postgres_will_do_and_keeps_the_data_it_made(
    postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_the_wheel(monkeypatch)
    own = next(binaries.everywhere(), None)
    if own is None:
        pytest.skip("this machine has no Postgres of its own")
    postgres.ensure_running()
    assert ask(postgres, "SELECT 'Z' < 'a' AND 'z' < 'é'") is True
    postgres.release()
    monkeypatch.undo()

    postgres.ensure_running()
    assert str(ask(postgres, "SHOW server_version")).startswith(f"{own.major}.")
    assert postgres.programs() == binaries.choose(own.major).folder


def test_a_folder_that_cannot_be_written_is_told(folder: Path) -> None:
    def try_there() -> None:
        become_ordinary()
        with pytest.raises(PostgresFailed, match="cannot be made or entered: Permission denied"):
            PrivatePostgres(folder / "instance" / "postgres").ensure_running()

    folder.chmod(0o555)
    assert ended_well(fork(try_there))
    folder.chmod(0o755)


def test_destroying_it_takes_it_from_whoever_holds_it_wherever_it_lives(
    folder: Path, postgres: PrivatePostgres
) -> None:
    folder.chmod(0o700)
    with held_by_another_process(postgres):
        home = postgres.folder.resolve()
        with closing(psycopg2.connect(postgres.url)) as connection:
            PrivatePostgres(postgres.folder).destroy()
            with pytest.raises(psycopg2.Error, match=r"closed|terminat"):
                connection.cursor().execute("SELECT 1")

    assert not home.exists()
    assert not os.path.lexists(postgres.folder)


@as_root
def test_data_of_another_user_are_told_from_ones_own(kept: PrivatePostgres) -> None:
    def try_as_somebody_else() -> None:
        os.setuid(kept.data.stat().st_uid + 1)
        with pytest.raises(PostgresFailed, match=r"belongs to .*sudo rm -r"):
            PrivatePostgres(kept.folder).ensure_running()

    assert ended_well(fork(try_as_somebody_else))


@as_root
def test_root_runs_the_cluster_of_an_ordinary_user_as_that_user(kept: PrivatePostgres) -> None:
    def start_as_that_user() -> None:
        become_ordinary()
        kept.ensure_running()
        kept.release()

    before = kept.folder.owner()
    for lock in kept.folder.glob("*.lock"):
        lock.unlink()
    subprocess.run(["chown", "-R", ORDINARY.pw_name, kept.folder], check=True)
    kept.ensure_running()
    kept.release()
    owners = {path.owner() for path in kept.folder.rglob("*")}
    child_ended_well = ended_well(fork(start_as_that_user))
    subprocess.run(["chown", "-R", before, kept.folder], check=True)

    assert owners == {ORDINARY.pw_name}
    assert child_ended_well


@as_root
def test_below_a_folder_of_root_the_data_live_elsewhere_and_it_says_where(
    sheltered: PrivatePostgres, caplog: pytest.LogCaptureFixture
) -> None:
    home = shelter.shelter_of(sheltered.folder)
    with caplog.at_level(logging.INFO, "chirpy.devtools.postgres"):
        sheltered.ensure_running()

    assert is_up(sheltered)
    assert str(home) in caplog.text
    assert sheltered.folder.readlink() == home
    assert home.stat().st_mode & 0o777 == 0o700
    assert sheltered.folder.parents[1].stat().st_mode & 0o777 == 0o700
    sheltered.release()


@as_root
def test_a_copy_of_the_project_does_not_touch_the_originals_data(
    sheltered: PrivatePostgres,
) -> None:
    sheltered.ensure_running()
    copy = sheltered.folder.parents[1] / "copy"
    subprocess.run(["cp", "-a", sheltered.folder.parent, copy], check=True)

    PrivatePostgres(copy / "postgres").destroy()
    assert is_up(sheltered)
    sheltered.release()


@as_root
def test_programs_that_only_root_may_enter_are_copied_within_reach(
    sheltered: PrivatePostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.newest_first(binaries.in_wheel(), from_wheel=True)
    if not found:
        pytest.skip("the wheel is not installed")
    programs, wheel = found[0].folder, found[0].folder.parents[1]
    copied = folder / wheel.name / programs.parent.name
    shutil.copytree(programs.parent, copied, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(f"{wheel}.libs", folder / f"{wheel.name}.libs")
    (folder / wheel.name / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(folder)
    folder.chmod(0o700)
    sheltered.ensure_running()

    assert is_up(sheltered)
    assert sheltered.programs() == copied / "bin"
    assert list(sheltered.folder.glob("programs-*/*/*/bin/postgres"))
    sheltered.release()
