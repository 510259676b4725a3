"""Examine `.env` and each setting. No secret is printed."""

import stat
from collections.abc import Iterator
from difflib import get_close_matches
from shlex import quote
from typing import Any

from chirpy.server.doctor.edits import correct, edit
from chirpy.server.doctor.findings import NOTE, PROBLEM, Finding, problem, split_step
from chirpy.server.doctor.origins import Examined, Origin
from chirpy.server.doctor.secret_quality import find_weakness
from chirpy.server.doctor.systems import shown
from chirpy.settings import Settings
from chirpy.settings.database_url import show_database_url
from chirpy.settings.parsers import PARSERS

FIELDS = Settings.__dataclass_fields__
OTHERS_MAY_READ = stat.S_IRWXG | stat.S_IRWXO
FIRST_RUN = "make run   (it writes .env with new secrets, for development)"


def examine_dotenv(examined: Examined) -> Iterator[Finding]:
    """Find what is wrong with the file `.env` itself."""
    dotenv, file = examined.dotenv, quote(shown(examined.dotenv))
    if examined.unreadable:
        text, step = split_step(examined.unreadable)
        yield problem(".env", text, step, f"mv {file} {file}.broken")
    elif not dotenv.exists():
        yield Finding(".env", "does not exist: settings come from the environment only", NOTE)
    else:
        yield Finding(".env", str(dotenv))
        if dotenv.stat().st_mode & OTHERS_MAY_READ:
            state = PROBLEM if examined.is_production else NOTE
            text = "other users of this machine may read it, and its secrets"
            yield Finding(".env", text, state, (f"chmod 600 {file}",))
    for line in examined.broken:
        text = f"line {line} is not NAME=value, or a quote is not closed"
        yield problem(".env", text, edit(dotenv, line))
    for name, origin in examined.origins.items():
        known = [*PARSERS, "SECRET"]
        if name not in known and (close := get_close_matches(name, known, 1)):
            text = f"line {origin.line} sets {name}, which Chirpy does not read"
            step = f"if you mean {close[0]}: {edit(dotenv, origin.line or 1)}"
            yield Finding(".env", text, NOTE, (step,))


def examine_settings(examined: Examined) -> Iterator[Finding]:
    """Find the value of each setting, where it came from, and what is wrong with it."""
    problems = dict(examined.problems)
    for name in PARSERS:
        origin = examined.origin(name)
        weakness = find_weakness(name, examined)
        if name in problems:
            where = "" if origin.is_default else f" ({origin})"
            yield problem(name, problems[name] + where, next_step(origin, examined))
        elif weakness:
            text = f"{len(origin.text)} characters, {weakness.text} ({origin})"
            state = PROBLEM if weakness.is_problem else NOTE
            when = "" if weakness.is_problem else "before production: "
            yield Finding(name, text, state, (when + next_step(origin, examined),))
        else:
            value = show_value(name, origin.text, examined.values.get(name.lower()))
            yield Finding(name, f"{value} ({origin})")


def next_step(origin: Origin, examined: Examined) -> str:
    """Return the command that corrects a setting, or in development makes a missing `.env`."""
    has_dotenv = examined.dotenv.exists() and not examined.unreadable
    in_production = examined.origin("PLATFORM").text == "prod"
    if origin.is_default and not has_dotenv and not in_production:
        return FIRST_RUN
    return correct(origin, examined.dotenv if has_dotenv else None)


def show_value(name: str, text: str, value: Any) -> str:
    """Return what may be printed of a valid setting."""
    default = FIELDS[name.lower()].default
    if not text:
        return str(default) if default or default == 0 else "not set"
    if name == "DB_URL":
        return show_database_url(value)
    if name == "POLKA_WEBHOOK_SECRETS":
        return f"{len(value)} {'key' if len(value) == 1 else 'keys'}"
    return str(value) if FIELDS[name.lower()].repr else f"{len(text)} characters"
