"""A Postgres of one's own, for as long as anybody needs it."""

import atexit
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from chirpy.devtools.postgres import binaries, locks
from chirpy.devtools.postgres.cluster import Cluster
from chirpy.devtools.postgres.connection import Connection, url_of
from chirpy.devtools.postgres.place import PORT, anything_is_kept_for, find, forget, settle

# What libpq would read from the environment, and which would lead past this server.
LIBPQ_VARIABLES = {
    "PGHOSTADDR",
    "PGSERVICE",
    "PGREQUIREAUTH",
    "PGTARGETSESSIONATTRS",
    "PGOPTIONS",
}
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class PrivatePostgres:
    """The Postgres kept in `folder`, shared by all processes that name the same folder.

    `settings` are extra values as in postgresql.conf; they count for whoever starts the server.
    Nothing is made, opened or registered before `ensure_running`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] = NO_SETTINGS) -> None:
        self.folder = folder.parent.resolve() / folder.name  # may become a link to elsewhere
        self.settings = settings
        self._cluster: Cluster | None = None
        self._hold: locks.Hold | None = None
        self._registered_in: int | None = None  # the process that releases it at its end

    @property
    def connection(self) -> Connection:
        """The way to the server, whether or not it runs."""
        place = self._cluster.place if self._cluster else settle(self.folder)
        return {"host": str(place.sockets), "port": PORT, "user": "chirpy", "dbname": "chirpy"}

    @property
    def url(self) -> str:
        """The connection as one text."""
        return url_of(self.connection)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.folder / "server.log"

    def ensure_running(self) -> Connection:
        """Start the server unless it runs, and keep it running until this process ends.

        Cheap if it runs and is held (50 microseconds), so call it as often as you like. Raises
        PrivatePostgresError.
        """
        for name in LIBPQ_VARIABLES & os.environ.keys():
            del os.environ[name]
        held = self._hold and self._hold.is_ours
        if self._cluster is None or not held or not self._cluster.answers():
            self._start()
        return self.connection

    def release(self) -> None:
        """Let go of the server; whoever does so last, of all processes, stops it."""
        if self._cluster is None or self._hold is None:
            return
        place = self._cluster.place
        self._drop_hold()
        if place.home.exists():
            with locks.turn(place):
                if locks.nobody_holds(place):
                    self._cluster.stop("fast")

    def destroy(self) -> None:
        """Stop the server, whoever holds it, and delete everything, wherever it is."""
        self._drop_hold()
        if anything_is_kept_for(self.folder):
            place = settle(self.folder)
            with locks.turn(place):
                Cluster(place, self.settings).stop("immediate")
                shutil.rmtree(place.home)
            forget(self.folder)

    def programs(self) -> Path:
        """Return the folder of the programs (`psql`, `pgbench`, …) that fit the data."""
        return binaries.choose(find(self.folder).major).folder

    def _start(self) -> None:
        self._cluster = cluster = Cluster(settle(self.folder), self.settings)
        if self._registered_in != os.getpid():
            atexit.unregister(self.release)  # what a forked process may have from its parent
            atexit.register(self.release)
            self._registered_in = os.getpid()
        with locks.turn(cluster.place):
            self._drop_hold()
            self._hold = locks.Hold.on(cluster.place)
            cluster.be_ready()

    def _drop_hold(self) -> None:
        if self._hold is not None:
            self._hold.drop()
            self._hold = None
