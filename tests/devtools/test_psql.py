"""`flask psql`."""

import shutil

import pytest
from sqlalchemy import URL

from tests.support.databases import as_password_user, url_text
from tests.support.server import NO_SETTINGS, PROJECT, SECRETS, run_python


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_flask_psql_connects_to_db_url_with_its_password(cluster_url: URL) -> None:
    settings = NO_SETTINGS | SECRETS | {"DB_URL": url_text(as_password_user(cluster_url))}

    result = run_python(PROJECT, "-m", "flask", "psql", "--", "-Atc", "SELECT user", **settings)

    assert (result.returncode, result.stdout) == (0, "learner\n")
