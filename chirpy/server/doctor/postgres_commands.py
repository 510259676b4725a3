"""Commands of Postgres' client programs, for the server and the database of DB_URL."""

import shlex
import shutil

from sqlalchemy import URL

from chirpy.server.doctor.systems import flask, on_this_system

LOCAL = ("", "localhost", "127.0.0.1", "::1")
DEFAULT_PORT = "5432"
INSTALL = (
    "sudo apt install postgresql-client",
    "brew install libpq && brew link --force libpq",
)
START = (
    "sudo systemctl start postgresql",
    'brew services start "$(brew list --formula -1 | grep ^postgresql | tail -n 1)"',
    "sudo service postgresql start",
)


class Postgres:
    """The server of a URL, of several hosts the first; or the embedded one, without a URL."""

    def __init__(self, url: URL | None) -> None:
        self.is_embedded = url is None
        url = url or URL.create("postgresql")
        first = {name: str(url.query.get(name, "")).split(",")[0] for name in ("host", "port")}
        self.host = url.host or first["host"]
        self.port = str(url.port or first["port"] or DEFAULT_PORT)
        self.user, self.database = url.username or "", url.database or ""
        self.is_local = self.host in LOCAL or self.host.startswith("/")

    def start(self) -> tuple[str, ...]:
        """Return the commands that start the server, or test the way to another machine."""
        if not self.is_local:
            return (f"nc -vz {shlex.quote(self.host)} {self.port}",)
        return on_this_system(*START), "docker compose up -d --wait   (with Docker)"

    def look_up(self) -> str:
        """Return the command that finds the address of the server."""
        host = shlex.quote(self.host)
        return on_this_system(f"getent hosts {host}", f"dscacheutil -q host -a name {host}")

    def as_user(self, *command: str) -> str:
        """Return a command that runs a program as the user of DB_URL."""
        program, *arguments = command
        where = {"-h": self.host, "-p": self.port, "-U": self.user}
        options = [word for name, text in where.items() if text for word in (name, text)]
        return shlex.join([program, *options, *arguments])

    def as_administrator(self, *command: str) -> str:
        """Return a command that runs a program as the administrator of the server."""
        program, *arguments = command
        options = [] if self.host in LOCAL else ["-h", self.host]
        options += [] if self.port == DEFAULT_PORT else ["-p", self.port]
        if not self.is_local:
            return shlex.join([program, *options, "-U", "postgres", *arguments])
        line = shlex.join([program, *options, *arguments])
        return on_this_system(f"sudo -u postgres {line}", line)

    def sql(self, *statements: str, database: str = "") -> str:
        """Return the command that runs statements as the administrator."""
        arguments = [word for statement in statements for word in ("-c", statement)]
        if self.is_embedded:
            return flask("psql", *arguments)
        return self.as_administrator("psql", "-d", database or self.database, *arguments)

    def create_database(self, name: str) -> tuple[str, ...]:
        """Return the commands that create a database: as the user, or as the administrator."""
        if self.is_embedded:
            return ("make clean   (it deletes the embedded database; make run creates another)",)
        options = ("-E", "UTF8", "-T", "template0", name)
        administrator = self.as_administrator("createdb", "-O", self.user, *options)
        steps = (self.as_user("createdb", *options), f"if it may not: {administrator}")
        return steps if shutil.which("createdb") else (on_this_system(*INSTALL), *steps)

    def create_another(self) -> tuple[str, ...]:
        """Return the commands that create a database with another name than that of DB_URL."""
        return self.create_database(f"{self.database}_new")


def identifier(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
