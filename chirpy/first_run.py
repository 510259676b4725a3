"""Write the `.env` of a first run: fresh secrets for development, readable by their owner only."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import click

DOTENV = """\
# Written by the first `make run`. Change what you like; what the environment says goes before it.
# The README lists all settings.
PLATFORM=dev
JWT_SECRET={jwt_secret}
POLKA_KEY={polka_key}
"""


def write(path: Path) -> None:
    """Write a new `.env`. Raises FileExistsError rather than replace one."""
    text = DOTENV.format(jwt_secret=token_hex(32), polka_key=token_hex(16))
    # The mode is given at creation: nobody can read the file before it is private.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    click.echo(f"Wrote {path.name} with fresh secrets and PLATFORM=dev: keep it to yourself")


if __name__ == "__main__":
    with suppress(FileExistsError):  # another first run was quicker
        write(Path(sys.argv[1]))
