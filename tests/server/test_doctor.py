"""`flask doctor` shows where each setting came from, and examines them and the machine."""

import re
import socket
import subprocess
from pathlib import Path
from unittest import mock

import pytest
from werkzeug import Response

from chirpy.server.doctor import machine
from tests.support.databases import POLKA_KEY, UNREACHABLE, an_app
from tests.support.doctor import GOOD, run_doctor
from tests.support.server import NO_SETTINGS, PROJECT, Server, run_python
from tests.support.wsgi_server import serve

LINES = """# Settings of a learner

PLATFORM=dev
SECRET={JWT_SECRET}
PORT=8097
POLKA_KEY={POLKA_KEY}
""".format_map(GOOD)
SPEC_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    dotenv = tmp_path / ".env"
    dotenv.touch(mode=0o600)
    return dotenv


def test_doctor_says_where_each_setting_came_from(dotenv: Path) -> None:
    dotenv.write_text(LINES)

    report = run_doctor(None, dotenv, THREADS="16", PORT="8098", HOST="")

    shown = dict(re.findall(r"^  \S+ +([A-Z_]+) +(.*)$", report.output, re.MULTILINE))
    assert shown["PLATFORM"] == "dev (.env line 3)"
    assert shown["JWT_SECRET"] == "32 characters (SECRET in .env line 4)"
    assert shown["PORT"] == "8098 (environment)"
    assert shown["THREADS"] == "16 (environment)"
    assert shown["HOST"] == "127.0.0.1 (environment)"
    assert shown["DB_CONNECTIONS"] == "48 (default)"
    assert shown["DB_URL"] == "not set (default)"


@pytest.mark.parametrize(
    ("line", "platform", "subject", "text"),
    [
        ("PORT=80x", "dev", "PORT", "must be a whole number from 1 to 65535"),
        ("DB_URL=postgres://u:s3cr3t@t/il@h/d", "dev", "DB_URL", "more than one @"),
        ("DB_URL=mysql://u:s3cr3t@h/d", "dev", "DB_URL", "must start with postgres://"),
        ("POLKA_WEBHOOK_SECRETS=whsec_x", "dev", "POLKA_WEBHOOK_SECRETS", "must be whsec_"),
        ("JWT_SECRET=short", "dev", "JWT_SECRET", "shorter than 32 bytes"),
        ("JWT_SECRET=", "dev", "JWT_SECRET", "is missing"),
        (f"JWT_SECRET={'x' * 32}", "dev", "JWT_SECRET", "easy to guess"),
        (f"JWT_SECRET={'my-secret-' * 4}", "dev", "JWT_SECRET", "easy to guess"),
        ("JWT_SECRET={POLKA_KEY}", "dev", "JWT_SECRET", "the same as POLKA_KEY"),
        (f"POLKA_KEY={POLKA_KEY}", "prod", "POLKA_KEY", "the key of the course"),
        ("POLKA_KEY=1234", "prod", "POLKA_KEY", "easy to guess"),
        (f"POLKA_WEBHOOK_SECRETS={SPEC_KEY}", "prod", "POLKA_WEBHOOK_SECRETS", "public"),
        (f"POLKA_KEY={POLKA_KEY}", "dev", "", ""),
    ],
)
def test_command_of_doctor_corrects_a_line_of_dotenv(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch, line: str, platform: str, subject: str, text: str
) -> None:
    monkeypatch.chdir(dotenv.parent)
    url = "postgres://u:s3cr3t@127.0.0.1:1/d"
    lines = {"PLATFORM": platform, "DB_URL": url, **GOOD} | {"PLATFORM": platform}
    name, _, value = line.partition("=")
    lines[name] = value.format_map(GOOD)
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    report = run_doctor(None, dotenv)
    assert [failed for failed in report.failed if failed != "server"] == [subject] * bool(subject)
    if subject:
        finding = report.finding("FAIL", subject)
        assert text in finding
        subprocess.run(finding.rpartition("Next: ")[2], shell=True, check=True)
        assert subject not in run_doctor(None, dotenv).failed
        assert dotenv.read_text().count("\n") == len(lines), "the line was replaced"
    else:
        assert "Next: before production: sed" in report.finding("note", "POLKA_KEY")


def test_commands_of_doctor_correct_the_file_itself(
    dotenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dotenv.parent)
    dotenv.write_text(f"{LINES}this is not a setting\n\nDB_ULR=x\nTHREADS='1\n6'\n")
    dotenv.chmod(0o644)

    report = run_doctor(None, dotenv, PLATFORM="prod")

    assert report.failed == [".env", ".env", "DB_URL", "THREADS"]
    assert report.finding("FAIL", "THREADS").endswith("Next: nano +10 .env"), "it has two lines"
    assert "line 7 is not NAME=value" in report.output
    assert "nano +7 .env" in report.output
    assert "if you mean DB_URL: nano +9 .env" in report.output
    assert "Next: chmod 600 .env\n" in report.output


def test_doctor_runs_without_a_readable_dotenv(dotenv: Path) -> None:
    dotenv.write_bytes("PORT=8080\n".encode("utf-16"))

    report = run_doctor(None, dotenv, PORT="x")

    assert report.failed == [".env", "DB_URL", "JWT_SECRET", "POLKA_KEY", "PORT"]
    assert "Next: make run" in report.finding("FAIL", "JWT_SECRET")


def test_flask_doctor_names_all_problems_where_flask_cannot_start() -> None:
    broken = {"PORT": "x", "JWT_SECRET": "s3cr3t", "DB_URL": "mysql://u:s3cr3t@h/d"}
    flask = "-m", "flask", "--app", "app", "doctor"
    result = run_python(PROJECT, *flask, **NO_SETTINGS | broken)

    assert result.returncode == 1
    assert "Traceback" not in result.stdout
    assert "s3cr3t" not in result.stdout
    failed = re.findall(r"^  FAIL (\S+)", result.stdout, re.MULTILINE)
    assert failed == ["DB_URL", "JWT_SECRET", "POLKA_KEY", "PORT"]


def test_doctor_says_why_a_port_cannot_be_used(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = run_doctor(None, PORT=str(other.getsockname()[1]))
    own = run_doctor(None, PORT=str(server.port))
    host = run_doctor(None, HOST="1.2.3.4")
    twice = run_doctor(None, PORT="8097", METRICS_PORT="8097")

    assert "port" in taken.failed
    assert "sudo ss -ltnp 'sport = :" in taken.finding("FAIL", "port")
    assert "a Chirpy serves on" in own.finding("note", "port")
    assert "Next: nothing, if it is yours" in own.finding("note", "port")
    assert 'export "HOST=127.0.0.1"' in host.finding("FAIL", "port")
    assert "metrics port" in twice.failed


def test_doctor_knows_a_chirpy_without_a_database_and_no_other_server() -> None:
    with an_app(UNREACHABLE) as app, serve(app) as url:
        without_database = run_doctor(None, PORT=url.rpartition(":")[2])
    other = Response("<p>Any path</p>", headers={"Content-Security-Policy": "default-src 'self'"})
    with serve(other) as url:
        taken = run_doctor(None, PORT=url.rpartition(":")[2])

    assert "a Chirpy serves on" in without_database.finding("note", "port")
    assert "sudo ss -ltnp" in taken.finding("FAIL", "port")


def test_doctor_starts_no_embedded_postgres_if_platform_is_wrong() -> None:
    report = run_doctor(None, connect=mock.Mock(side_effect=AssertionError), PLATFORM="production")

    assert report.failed == ["PLATFORM"]
    assert report.finding("-   ", "database") == "not checked, because of PLATFORM"


def test_server_does_not_start_with_the_settings_of_the_doctor() -> None:
    result = run_python(PROJECT, "app.py", "doctor", **NO_SETTINGS)

    assert result.returncode == 1
    assert result.stdout.startswith("Chirpy cannot start with these settings:")


def test_doctor_names_a_clock_that_was_reset() -> None:
    with mock.patch.object(machine, "time", mock.Mock(time=lambda: 86_400)):
        report = run_doctor(None)

    assert "1970-01-02 00:00:00 UTC is before" in report.finding("FAIL", "clock")
    assert "sudo timedatectl set-ntp true" in report.output


def test_doctor_reports_a_check_that_fails_itself() -> None:
    with mock.patch.object(machine, "reserve_port", side_effect=RuntimeError("a bug")):
        report = run_doctor(None)

    assert report.finding("FAIL", "port").startswith("could not be checked: RuntimeError: a bug")
    assert report.finding("ok  ", "clock")
