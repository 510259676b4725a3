"""`flask check URL`: this Chirpy passes; options, reports, and the question before the reset."""

import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import URL
from werkzeug import Request, Response

from chirpy.check import requests
from chirpy.check.command import check
from chirpy.check.polka import Polka
from chirpy.check.results import PASSED, run
from chirpy.check.server import Server as JudgedServer
from chirpy.check.suites import COURSE, RECEIVERS, select
from tests.support.databases import POLKA_KEY, Sql, an_app
from tests.support.judge import InProcess, a_server, failed
from tests.support.server import NO_SETTINGS, PROJECT, Server
from tests.support.small_chirpy import SmallChirpy
from tests.support.webhook_receiver import a_receiver

SECRETS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "b2xk" * 8
CAMEL = [("user_id", "userId"), ("is_chirpy_red", "isChirpyRed"), ("created_at", "createdAt")]
CAMEL += [("updated_at", "updatedAt"), ("refresh_token", "refreshToken"), ("author_id", "authorId")]


class CamelChirpy(SmallChirpy):
    """The TypeScript edition: other keys, and no 405."""

    def answer(self, request: Request) -> Response:
        body, query = request.data, request.environ["QUERY_STRING"]
        for snake, camel in CAMEL:
            body = body.replace(snake.encode(), b"-").replace(camel.encode(), snake.encode())
            query = query.replace(snake, "-").replace(camel, snake)
        changes = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        response = super().answer(Request(request.environ | changes | {"QUERY_STRING": query}))
        for snake, camel in CAMEL:
            response.data = response.data.replace(snake.encode(), camel.encode())
        response.status_code = 404 if response.status_code == 405 else response.status_code
        return response


@pytest.fixture(scope="module")
def small_server() -> Iterator[str]:
    with a_server({"unknown_user": 204}).serve() as url:
        yield url


def invoke(*arguments: str, **options: Any) -> Result:
    result = CliRunner(**options).invoke(check, arguments, input="n\n")
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


@pytest.mark.parametrize("options", [["--strict"], ["--webhooks", "--strict"]])
def test_this_chirpy_passes_all_checks_of_the_judge(server: Server, options: list[str]) -> None:
    """It needs neither settings nor a database."""
    completed = subprocess.run(
        [sys.executable, "-m", "chirpy.check", server.url, "--yes", *options],
        env=os.environ | NO_SETTINGS,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"^(\d+) of \1\b", completed.stdout, re.MULTILINE), completed.stdout
    assert completed.returncode == 0


def test_this_chirpy_passes_the_checks_of_signatures(database_url: URL, sql: Sql) -> None:
    keys = tuple(b64decode(secret[6:]) for secret in SECRETS)
    with an_app(database_url, polka_webhook_secrets=keys) as app:
        server = JudgedServer(InProcess(app), Polka(POLKA_KEY, secrets=SECRETS))
        results = list(run(select(RECEIVERS, ["signatures"], camel=False, strict=True), server))

    assert {(r.check.name, r.outcome) for r in results if r.outcome != PASSED} == set()
    assert len(results) == 6


def test_camel_case_is_that_of_the_typescript_edition() -> None:
    assert failed(CamelChirpy(), COURSE, camel=True) == set()
    assert failed(CamelChirpy(), RECEIVERS, camel=True) == set()
    assert "admin.wrong_method" in failed(CamelChirpy(), COURSE)


def test_flask_check_asks_before_it_resets_the_server(app: Flask) -> None:
    runner = app.test_cli_runner()
    with a_receiver() as receiver:
        for answer in ("n\n", ""):
            result = runner.invoke(args=["check", receiver.url], input=answer)
            assert "This deletes all users and chirps on http://127.0.0.1" in result.output
            assert result.exit_code == 1

    assert receiver.bodies == []


def test_failed_check_shows_what_was_expected_what_came_and_curl(small_server: str) -> None:
    output = invoke(small_server, "-y", "--only", "webhooks").output

    assert output.endswith("\n7 of 8 (1 failed)\n")
    assert "✗ Unknown user: user.upgraded for an unknown user is a 404" in output
    assert re.search(r"expected +status 404\n +got +204 \(empty body\)\n +curl +curl -i", output)


def test_curl_line_of_a_failed_check_sends_the_same_request(small_server: str) -> None:
    report = json.loads(invoke(small_server, "-y", "--json", "--only", "webhooks").stdout)
    [failure] = [row for row in report["checks"] if row["outcome"] == "failed"]
    [line] = failure["curl"]
    printed = subprocess.check_output(["bash", "-c", line], text=True, stderr=subprocess.DEVNULL)

    assert printed.startswith("HTTP/1.1 204 ")


def test_curl_line_quotes_all_characters() -> None:
    body = {"body": 'it\'s "$HOME" `id` \\ !! $(id) é\n\0 @file'}
    headers = {"Content-Type": "application/json", "Authorization": "Bearer a'b$HOME"}
    with a_receiver(200) as receiver:
        request = requests.Request(
            "POST", f"{receiver.url}/a?b=c&d='e", requests.encode(body), headers
        )
        subprocess.run(["bash", "-ic", request.curl], capture_output=True, check=True)

    assert receiver.bodies == [body]
    assert receiver.headers[0]["Authorization"] == headers["Authorization"]


def test_verbose_report_has_the_evidence_of_passed_checks(small_server: str) -> None:
    output = invoke(small_server, "-y", "-v", "--only", "website").output

    assert "2 of 2" in output
    assert output.count("curl -i http") == 2
    assert "expected  status 200; a body with Welcome to Chirpy" in output


def test_json_report_counts_and_describes_each_check(small_server: str) -> None:
    result = invoke(small_server, "-y", "--json", "--webhooks", "--only", "refusals,order")
    report = json.loads(result.stdout)

    assert (report["passed"], report["total"]) == (8, 10)
    assert {row["level"] for row in report["checks"]} == {"must", "should"}
    assert all(row["why"] for row in report["checks"] if row["name"] == "order.late_upgrade")
    assert result.exit_code == 1


def test_junit_report_has_a_test_case_for_each_check(small_server: str, tmp_path: Any) -> None:
    path = tmp_path / "report.xml"
    invoke(small_server, "-y", "--junit", str(path), "--only", "validation,webhooks")
    suite = ET.parse(path).getroot()

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("10", "1", "2")
    [failure] = suite.iter("failure")
    assert "status 404" in str(failure.text)


def test_plain_terminal_gets_ascii_without_colour(
    small_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    result = CliRunner(charset="ascii").invoke(
        check, [small_server, "-y", "--only", "webhooks"], color=True
    )

    assert "  FAIL Unknown user: " in result.output
    assert result.output.isascii()
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ftp://localhost"], "must look like http://localhost:8080"),
        (["http://localhost:port"], "must look like http://localhost:8080"),
        (["http://me:pw@localhost"], "must look like http://localhost:8080"),
        (["localhost", "--only", "users,users2"], "users2 is none of website, servers, admin"),
        (["localhost", "--only", "refusals"], "leaves no check. Next: try --webhooks"),
        (["localhost", "--secret", "whsec_?"], "must look like whsec_"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_sent(
    arguments: list[str], message: str
) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in result.output


def test_every_check_has_a_name_of_its_own_and_a_title() -> None:
    checks = [check for chapter in (*COURSE, *RECEIVERS) for check in chapter.checks]

    assert len({check.name for check in checks}) == len(checks)
    assert all(check.title != check.name for check in checks)


def test_docs_show_rows_that_the_judge_prints(small_server: str) -> None:
    page = (PROJECT / "docs" / "check.md").read_text()
    shown = re.findall(r"^  [✓✗] .*|^      (?:expected|got) .*|^\d+ of .*", page, re.MULTILINE)

    assert len(shown) == 7
    assert {*shown} <= {*invoke(small_server, "-y", "--only", "webhooks").output.splitlines()}
