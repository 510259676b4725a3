"""`python -m chirpy.postgres remove FOLDER`: stop a private Postgres and delete its data."""

from pathlib import Path

import click

from chirpy.postgres import PrivatePostgres


@click.group()
def main() -> None:
    """Look after a private Postgres."""


@main.command
@click.argument("folder", type=click.Path(path_type=Path))
def remove(folder: Path) -> None:
    """Stop the Postgres in FOLDER, whoever uses it, and delete its data, wherever they are."""
    PrivatePostgres(folder).destroy()


if __name__ == "__main__":
    main()
