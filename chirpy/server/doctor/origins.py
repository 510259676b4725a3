"""Where each setting came from: the environment, a line of `.env`, or its default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from dotenv.parser import Binding

from chirpy.server.dotenv import broken_lines, line_of, read_bindings
from chirpy.settings import Problem, Settings, SettingsError, parse_each
from chirpy.settings.parsers import PARSERS


@dataclass(frozen=True, slots=True)
class Origin:
    """The text of a setting, and where it was set. `name` can be SECRET for JWT_SECRET."""

    name: str
    text: str = field(repr=False, default="")
    line: int | None = None  # in .env
    is_environment: bool = False
    is_long: bool = False  # has several lines

    @property
    def is_default(self) -> bool:
        """Whether it was not set at all."""
        return self.line is None and not self.is_environment

    def __str__(self) -> str:
        alias = "SECRET in " if self.name == "SECRET" else ""
        where = "environment" if self.is_environment else "default"
        return f"{alias}{where if self.line is None else f'.env line {self.line}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was read. Of each setting that is not valid, `values` has nothing."""

    dotenv: Path
    origins: Mapping[str, Origin] = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    problems: list[Problem]
    unreadable: str  # why .env cannot be read
    broken: list[int]  # lines of .env

    @property
    def is_production(self) -> bool:
        """Whether these are the settings of a production server, as without PLATFORM."""
        return bool(self.values.get("platform", "prod") == "prod")

    def settings(self) -> Settings:
        """Return the valid settings, with random secrets instead of those that are not."""
        return Settings(**{"jwt_secret": token_hex(), "polka_key": token_hex(), **self.values})

    def origin(self, name: str) -> Origin:
        """Return where a setting came from."""
        alias = self.origins.get("SECRET") if name == "JWT_SECRET" else None
        own = self.origins.get(name, Origin(name))
        return alias if alias and alias.text and not own.text else own


def examine(dotenv: Path, environment: Mapping[str, str]) -> Examined:
    """Read all settings, also wrong ones. Raise no exception."""
    bindings, unreadable = [], ""
    try:
        bindings = read_bindings(dotenv) if dotenv.exists() else []
    except (SettingsError, OSError) as error:
        unreadable = str(error)
    origins = {origin.name: origin for origin in lines_of(bindings)}
    for name in {*PARSERS, "SECRET"} & environment.keys():
        # `flask` itself copies .env into the environment, where that lacks a variable.
        if name not in origins or origins[name].text != environment[name]:
            origins[name] = Origin(name, environment[name], is_environment=True)
    values, problems = parse_each({name: origin.text for name, origin in origins.items()})
    return Examined(
        dotenv=dotenv,
        origins=origins,
        values=values,
        problems=problems,
        unreadable=unreadable,
        broken=list(broken_lines(bindings)),
    )


def lines_of(bindings: list[Binding]) -> Iterator[Origin]:
    """Yield what `.env` sets. Of several lines with one name, the last counts."""
    for binding in bindings:
        if binding.key and binding.value is not None:
            is_long = "\n" in binding.original.string.strip()
            yield Origin(binding.key, binding.value, line_of(binding), is_long=is_long)
