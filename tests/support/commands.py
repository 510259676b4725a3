"""Run `flask` commands inside an application."""

from flask import Flask


def error_of(app: Flask, *command: str) -> str:
    """Run a command that fails, and return its message. An exception would be a traceback."""
    result = app.test_cli_runner().invoke(args=command)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
    return result.output
