"""When the database cannot be used, commands and the start end with one message without secrets."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from alembic import command
from click import ClickException
from sqlalchemy import URL

from tests.support.commands import error_of
from tests.support.databases import UNREACHABLE, alembic_config, an_app, connected, new_database


def test_message_shows_the_url_without_passwords() -> None:
    url = UNREACHABLE.set(password="hush").update_query_string("sslpassword=hush&sslmode=prefer")

    with an_app(url) as app:
        message = error_of(app, "webhooks", "list")

    assert "Connection refused" in message
    assert "127.0.0.1:1/chirpy?sslmode=prefer" in message
    assert "hush" not in message


@pytest.fixture
def tls_server() -> Iterator[URL]:
    """Run a server that agrees to TLS, which is when a client looks for its certificates."""

    def agree() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(8)  # the request
            connection.sendall(b"S")
            connection.recv(1)  # until the client closes the connection

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=agree, daemon=True).start()
        yield UNREACHABLE.set(port=listening.getsockname()[1])


@pytest.mark.parametrize(
    "options",
    ["sslmode=verify-full&sslrootcert=/nowhere/root.crt", "sslmode=require&sslcert=/dev/null"],
)
def test_unusable_certificate_leads_to_its_options(tls_server: URL, options: str) -> None:
    with an_app(tls_server.update_query_string(options)) as app:
        message = error_of(app, "webhooks", "list")

    assert "certificate file" in message
    assert message.endswith("\nNext: correct sslmode, sslrootcert, sslcert and sslkey in DB_URL\n")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_database_that_is_not_utf8_is_not_migrated(database_url: URL, encoding: str) -> None:
    options = f"ENCODING '{encoding}' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"

    with (
        new_database(database_url, encoding, options) as url,
        an_app(url) as app,
        app.app_context(),
    ):
        with pytest.raises(ClickException) as caught:
            command.upgrade(alembic_config(), "head")
        with connected(url) as sql:
            assert sql("SELECT FROM pg_tables WHERE schemaname = 'public'") == []

    assert f"its encoding is {encoding}, not UTF8" in caught.value.message
    assert "\nNext: create another database (createdb -E UTF8" in caught.value.message
