"""Read the settings of the environment and of the file `.env`."""

import os
from collections.abc import Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from chirpy.settings import Settings, SettingsError, parse_settings

NEW_DOTENV = "make run, which writes a .env; or cp .env.example .env, and fill it in"


def read_settings(dotenv: Path) -> Settings:
    """Return the settings of the environment; the file `dotenv` adds what the environment lacks."""
    if dotenv.exists():
        return parse_settings(read_dotenv(dotenv) | os.environ)
    return parse_settings(os.environ, if_missing=f"\nNext: {NEW_DOTENV}")


def read_dotenv(path: Path) -> dict[str, str | None]:
    """Return what the file sets. Raise SettingsError with the numbers of its broken lines."""
    bindings = read_bindings(path)
    if lines := ", ".join(map(str, broken_lines(bindings))):
        problem = f"{path}, line {lines}: this is not NAME=value, or a quote is not closed"
        raise SettingsError(f"{problem}.\nNext: correct it, or put # in front of it")
    return {binding.key: binding.value for binding in bindings if binding.key}


def read_bindings(path: Path) -> list[Binding]:
    """Return all that is in the file, with its lines. Raise SettingsError if it is unreadable."""
    try:
        with path.open(encoding="utf-8-sig") as file:  # without the mark that Windows puts in front
            return list(parse_stream(file))
    except UnicodeError:
        next_step = "Next: save it in this encoding, or remove it"
        raise SettingsError(f"{path} is not text in UTF-8.\n{next_step}") from None
    except OSError as error:
        next_step = "Next: correct or remove this file"
        raise SettingsError(f"Chirpy cannot read {path}: {error}.\n{next_step}") from None


def broken_lines(bindings: list[Binding]) -> Iterator[int]:
    """Yield the number of each line that is neither NAME=value, nor a comment, nor empty."""
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            yield line_of(binding)


def line_of(binding: Binding) -> int:
    """Return the number of the line of a binding, which begins with the empty lines before it."""
    text, line = binding.original
    return line + text[: len(text) - len(text.lstrip())].count("\n")
