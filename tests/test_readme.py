"""The README's session, typed as it stands, gives the answers that it shows."""

import re
import subprocess
from pathlib import Path

from tests.support.databases import POLKA_KEY
from tests.support.server import PROJECT, Server

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z")


def session() -> list[tuple[str, str]]:
    """The blocks between the mark and the next heading, each with its language."""
    _, _, after = (PROJECT / "README.md").read_text().partition("<!-- session -->")
    return BLOCK.findall(after.partition("\n## ")[0])


def test_the_session_gives_the_answers_it_shows(tmp_path: Path, server: Server) -> None:
    typed = "".join(text for language, text in session() if language == "sh")
    shown = [text for language, text in session() if language != "sh"]
    (tmp_path / ".env").write_text(f"POLKA_KEY={POLKA_KEY}\n")

    script = typed.replace("localhost:8080", server.url.removeprefix("http://"))
    told = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    kept = [line for line in told.splitlines() if not re.match(r"(server|date):", line)]
    assert comparable("\n".join(kept)) == comparable("\n".join(shown))


def comparable(text: str) -> list[str]:
    """The lines of `text` without what differs each time."""
    return [VARYING.sub("…", line.strip()) for line in text.splitlines() if line.strip()]
