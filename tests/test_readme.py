"""The sessions in the README and in the lesson: their commands give the responses they show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chirpy.devtools.postgres import EmbeddedPostgres
from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, Server
from tests.support.shells import with_zsh

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UUID_OR_TIME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z")
VARYING_HEADER = re.compile(r"(server|date|vary|x-[a-z-]+|content-[a-z]+):")


def session_blocks(page: str = "README.md") -> list[tuple[str, str]]:
    """Return the blocks after the mark, each with its language. In the README, up to a heading."""
    _, _, session = (PROJECT / page).read_text().partition("<!-- session -->")
    return BLOCK.findall(session.partition("\n## Test it")[0])


def comparable_lines(text: str) -> list[str]:
    """Return the lines of `text` without what differs from run to run."""
    lines = [line.strip() for line in text.splitlines() if not VARYING_HEADER.match(line)]
    return [UUID_OR_TIME.sub("…", line) for line in lines if line]


@pytest.fixture
def terminal(tmp_path: Path, server: Server) -> dict[str, Any]:
    """Provide what a terminal in the project's folder has, as arguments of `subprocess.run`."""
    (tmp_path / ".env").write_text(f"POLKA_KEY={POLKA_KEY}\n")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    path = f"{EmbeddedPostgres(tmp_path).programs()}:{os.environ['PATH']}"  # for psql
    flask = {"FLASK_APP": str(PROJECT / "app.py"), "PATH": path}
    return {"cwd": tmp_path, "env": server.environment | flask}


SESSIONS = [
    ("README.md", "bash"),
    pytest.param("README.md", "zsh", marks=with_zsh),
    ("docs/webhooks.md", shutil.which("zsh") or "bash"),  # once, because it needs seconds
]


@pytest.mark.parametrize(("page", "shell"), SESSIONS)
def test_session_in_docs_gives_the_responses_it_shows(
    server: Server, terminal: dict[str, Any], page: str, shell: str
) -> None:
    blocks = session_blocks(page)
    commands = "".join(text for language, text in blocks if language == "sh")
    shown = "".join(text for language, text in blocks if language != "sh")

    script = commands.replace("localhost:8080", server.url.removeprefix("http://"))
    printed = subprocess.run(
        [shell, "-euc", script], **terminal, capture_output=True, text=True, check=True
    ).stdout

    assert comparable_lines(printed) == comparable_lines(shown)
