"""What stops a benchmark."""

import click


class BenchmarkFailed(click.ClickException):
    """Numbers from here on would mean nothing; the text says why, and the exit code is 1."""
