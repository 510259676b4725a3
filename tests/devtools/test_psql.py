"""`flask psql`."""

import shutil

import pytest
from flask import Flask
from sqlalchemy import URL

from tests.support.databases import as_password_user, url_text
from tests.support.server import NO_SETTINGS, PROJECT, SECRETS, run_python


def test_flask_psql_help_is_its_own(session_app: Flask) -> None:
    assert "Chirpy's" in session_app.test_cli_runner().invoke(args=["psql", "--help"]).output


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
@pytest.mark.parametrize("before", ["", "127.0.0.1"], ids=["one host", "several hosts"])
def test_flask_psql_connects_to_db_url_with_its_password(cluster_url: URL, before: str) -> None:
    url = as_password_user(cluster_url)
    if before:
        hosts = {"host": f"{before},{url.query['host']}", "port": f"1,{url.query['port']}"}
        url = url.update_query_dict(hosts)
    settings = NO_SETTINGS | SECRETS | {"DB_URL": url_text(url)}
    psql = "-m", "flask", "psql", "-At", "-c", "SELECT user"
    result = run_python(PROJECT, *psql, **settings)

    assert (result.returncode, result.stdout) == (0, "learner\n")
