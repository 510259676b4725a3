"""Write the `.env` of the first run: new secrets for development, readable by their owner only."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import click

DOTENV = """\
# Written by the first `make run`. Variables of the environment take precedence over this file.
# docs/settings.md describes all settings.
PLATFORM=dev
JWT_SECRET={jwt_secret}
POLKA_KEY={polka_key}
"""


def write_dotenv(path: Path) -> None:
    """Write a new `.env`. Raise FileExistsError instead of replacing one."""
    text = DOTENV.format(jwt_secret=token_hex(32), polka_key=token_hex(16))
    # The mode is set at creation, so that other users can never read the file.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    click.echo(f"Wrote {path.name} with new secrets and PLATFORM=dev. Do not share this file")


if __name__ == "__main__":
    with suppress(FileExistsError):  # another first run was faster
        write_dotenv(Path(sys.argv[1]))
