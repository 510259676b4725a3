"""The commands of this system: Linux (as Debian and Ubuntu), macOS with Homebrew, or WSL."""

import platform
import shlex
import sys
from pathlib import Path


def on_this_system(linux: str, macos: str, wsl: str = "") -> str:
    """Return the command for the system that runs the doctor. WSL has that of Linux if empty."""
    if sys.platform == "darwin":
        return macos
    return wsl if wsl and "microsoft" in platform.release().lower() else linux


def flask(*arguments: str) -> str:
    """Return a command of this installation for a shell in the current folder."""
    program = Path(sys.executable).with_name("flask")
    return shlex.join([shown(program), *arguments])


def shown(path: Path) -> str:
    """Return a path: relative, if it is below the current folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
