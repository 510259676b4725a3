"""What the tests do to the database, to Chirpy and to its clients. `World.repair` undoes it."""

import os
import signal
from contextlib import suppress

import psutil

from tests.faults.world import OURS, WAITING, World
from tests.support.proxy import close
from tests.support.server import wait_until
from tests.support.standby import a_standby


def silence(world: World) -> None:
    """Keep what the server and Postgres send to each other."""
    world.proxy.silence()


def cut(world: World) -> None:
    """Close all connections of the server, and lose what the proxy has kept."""
    world.proxy.cut()


def cancel(world: World) -> None:
    """Cancel the statements that wait at the point."""
    world.sql(f"SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS waiting")


def stop_postgres(world: World) -> None:
    """Stop all processes of Postgres."""
    world.send_postgres(signal.SIGSTOP)


def kill_postgres(world: World) -> None:
    """Kill all processes of Postgres and wait until they have ended. Lose what they have sent."""
    processes = world.postgres_processes()
    world.send_postgres(signal.SIGSTOP)  # none of them notices the death of another
    world.send_postgres(signal.SIGKILL)
    psutil.wait_procs(processes, 10)
    world.proxy.cut()


def kill_backends(world: World) -> None:
    """Kill the processes of Postgres that serve Chirpy. All others end too; Postgres restarts."""
    for [pid] in world.sql(f"SELECT pid {OURS}"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def lose_standby(world: World) -> None:
    """Let each COMMIT wait for a standby that does not exist."""
    world.sql("ALTER SYSTEM SET synchronous_standby_names = 'missing'")
    world.sql("SELECT pg_reload_conf()")
    wait_until(lambda: world.sql("SHOW synchronous_standby_names") == [("missing",)])
    world.sql("CHECKPOINT")  # by the process that tells the others about standbys


def start_standby(world: World) -> None:
    """Start a standby, for which each COMMIT waits, until the test ends."""
    world.standby = world.end.enter_context(a_standby(world.postgres))
    world.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    world.sql("SELECT pg_reload_conf()")
    wait_until(lambda: world.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))


def connect_to_standby(world: World) -> None:
    """Let the server find a read-only standby where its primary was."""
    start_standby(world)
    world.undo.callback(setattr, world.proxy, "target", world.proxy.target)
    world.proxy.target = world.standby
    world.proxy.cut()


def promote_standby(world: World) -> None:
    """Kill the primary, and let the standby take its place until the test ends."""
    world.end.callback(world.proxy.cut)
    world.end.callback(setattr, world.proxy, "target", world.proxy.target)
    kill_postgres(world)
    world.proxy.target = world.standby
    world.sql("SELECT pg_promote()")


def finish_migration(world: World) -> None:
    """Commit a migration, for whose locks requests wait."""
    wait_until(lambda: len(world.sql(WAITING)) >= 2)
    world.undo.close()


def kill_workers(world: World) -> None:
    """Kill the workers of the server."""
    for pid in world.server.workers:
        os.kill(pid, signal.SIGKILL)


def kill_server(world: World) -> None:
    """Kill the server, and its workers before they notice."""
    kill_workers(world)
    world.server.process.kill()


def stop_workers(world: World) -> None:
    """Stop the workers of the server."""
    for pid in world.server.workers:
        os.kill(pid, signal.SIGSTOP)


def hang_up(world: World) -> None:
    """Close the connections of the clients."""
    close(*(client.sock for client in world.clients if client.sock))
