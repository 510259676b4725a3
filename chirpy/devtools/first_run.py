"""Write the `.env` of the first `make run`: `.env.example` with new secrets."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import click

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def write_dotenv(path: Path) -> None:
    """Write a new `.env` that only its owner can read. Raise FileExistsError if there is one."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in ("JWT_SECRET", "POLKA_KEY"):
        text = text.replace(f"\n{name}=\n", f"\n{name}={token_hex(32)}\n")
    # The mode is set at creation, so that no other user can read the file before.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    click.echo(f"Wrote {path.name} with new secrets and PLATFORM=dev. Keep this file secret")


if __name__ == "__main__":
    with suppress(FileExistsError):  # a concurrent first run was faster
        write_dotenv(Path(sys.argv[1]))
