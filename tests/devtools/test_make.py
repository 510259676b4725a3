"""`make`: what it removes, and what it says to do next."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.server import PROJECT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
MADE = re.findall(r"^(.+?)/?$", (PROJECT / ".gitignore").read_text(), re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with a Makefile, and all that `make` and the tests leave there."""
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(PROJECT / "Makefile", clone)
    for name in MADE:
        (clone / name.replace("*", "1")).mkdir()
    (clone / "instance" / "postgres" / "data").mkdir(parents=True)
    return clone


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_make_clean_without_a_virtual_environment_keeps_only_dotenv(clone: Path) -> None:
    result = make(clone, "clean")

    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in clone.iterdir()) == [".env", "Makefile"]


@pytest.mark.parametrize("program", [["app.py"], [".venv/bin/flask", "run"]])
def test_make_clean_refuses_while_chirpy_runs(clone: Path, program: list[str]) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nread line\nexit 0\n")
    python.chmod(0o755)
    with subprocess.Popen([python, *program], stdin=subprocess.PIPE) as server:
        result = make(clone, "clean")

        assert result.returncode == 2
        assert f"Chirpy is running:\n{server.pid} " in re.sub("\n +", "\n", result.stdout)
        assert "Next: stop it, then make clean" in result.stdout
        assert python.exists()


def test_make_with_a_python_but_no_target_names_one(clone: Path) -> None:
    assert "\nNext: name a target, such as: make PYTHON=python3.13 run\n" in (
        make(clone, "PYTHON=python3.13").stdout
    )
    assert "Next" not in make(clone).stdout
