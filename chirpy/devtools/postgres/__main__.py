"""`python -m chirpy.devtools.postgres remove FOLDER`: stop a Postgres and delete its data."""

from pathlib import Path

import click

from chirpy.devtools.postgres import PrivatePostgres, PrivatePostgresError


@click.group()
def main() -> None:
    """Look after a private Postgres."""


@main.command
@click.argument("folder", type=click.Path(path_type=Path))
def remove(folder: Path) -> None:
    """Stop the Postgres in FOLDER, whoever uses it, and delete its data, wherever they are."""
    try:
        PrivatePostgres(folder).destroy()
    except PrivatePostgresError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
