"""Run `flask doctor` in an application, and read its report."""

import re
from pathlib import Path
from unittest import mock

from sqlalchemy import URL

from chirpy.database.connecting import ConnectArguments
from chirpy.server.doctor import command
from tests.support.databases import DB_PASSWORD, POLKA_KEY, UNREACHABLE, an_app, url_text
from tests.support.server import SETTINGS, free_port

GOOD = {
    "PLATFORM": "dev",
    "JWT_SECRET": "4f1c0d9ae86b2573f02c7be1d5a49863",
    "POLKA_KEY": "b96e04d7c8a1532f7e5d0ab3c1f84962",
}
WRONG_PASSWORD = "not-the-password"
HIDDEN = (GOOD["JWT_SECRET"], GOOD["POLKA_KEY"], POLKA_KEY, DB_PASSWORD, WRONG_PASSWORD, "s3cr3t")
FINDING = r"^  {} +{} +(.*(?:\n {{7,}}.*)*)"
NO_FILE = Path("/nowhere/.env")


class Report:
    """What `flask doctor` prints, without any secret, and its exit code."""

    def __init__(self, code: int, output: str) -> None:
        self.code, self.output = code, output
        self.failed = re.findall(r"^  FAIL (\S+(?: \S+)*)", output, re.MULTILINE)
        assert code == (len(self.failed) > 0)
        assert "Traceback" not in output
        assert not [secret for secret in HIDDEN if secret in output]

    def finding(self, mark: str, subject: str) -> str:
        """Return the text and the commands of one finding."""
        pattern = FINDING.format(mark, re.escape(subject))
        [finding] = re.findall(pattern, self.output, re.MULTILINE)
        return str(finding)


def run_doctor(
    url: URL | None = None,
    dotenv: Path = NO_FILE,
    connect: ConnectArguments | None = None,
    **environment: str,
) -> Report:
    """Run `flask doctor` on a database and settings: those of `dotenv`, or else good ones.

    `connect` stands for the embedded Postgres.
    """
    good = {} if dotenv.exists() else GOOD | {"PORT": str(free_port())}
    given = good | ({"DB_URL": url_text(url)} if url else {}) | environment
    embedded = {"db_url": None} if connect else {}
    with (
        mock.patch.object(command, "DOTENV", dotenv),
        an_app(url or UNREACHABLE, connect, **embedded) as app,
    ):
        variables = dict.fromkeys(SETTINGS) | given
        result = app.test_cli_runner().invoke(args=["doctor"], env=variables)
    return Report(result.exit_code, result.output)
