"""Write the `.env` of the first `make run`, with new secrets."""

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
    """Write a new `.env` that only its owner can read. Raise FileExistsError if there is one."""
    text = DOTENV.format(jwt_secret=token_hex(32), polka_key=token_hex(16))
    # The mode is set at creation, so that no other user can read the file before.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    click.echo(f"Wrote {path.name} with new secrets and PLATFORM=dev. Keep this file secret")


if __name__ == "__main__":
    with suppress(FileExistsError):  # a concurrent first run was faster
        write_dotenv(Path(sys.argv[1]))
