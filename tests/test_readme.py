"""The session in the README: its commands give the responses that it shows."""

import re
import subprocess
from pathlib import Path

from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, Server
from tests.support.shells import every_shell

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UUID_OR_TIME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z")
VARYING_HEADER = re.compile(r"(server|date|x-content-type-options):")


def session_blocks() -> list[tuple[str, str]]:
    """Return the blocks from the mark to the next heading, each with its language."""
    _, _, session = (PROJECT / "README.md").read_text().partition("<!-- session -->")
    return BLOCK.findall(session.partition("\n## ")[0])


def comparable_lines(text: str) -> list[str]:
    """Return the lines of `text` without what differs from run to run."""
    lines = [line.strip() for line in text.splitlines() if not VARYING_HEADER.match(line)]
    return [UUID_OR_TIME.sub("…", line) for line in lines if line]


@every_shell
def test_session_in_readme_gives_the_responses_it_shows(
    tmp_path: Path, server: Server, shell: str
) -> None:
    commands = "".join(text for language, text in session_blocks() if language == "sh")
    shown = "".join(text for language, text in session_blocks() if language != "sh")
    (tmp_path / ".env").write_text(f"POLKA_KEY={POLKA_KEY}\n")

    script = commands.replace("localhost:8080", server.url.removeprefix("http://"))
    printed = subprocess.run(
        [shell, "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    assert comparable_lines(printed) == comparable_lines(shown)
