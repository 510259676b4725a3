"""The documentation agrees with the code: links, paths, commands, settings, routes, layers."""

import re
import shlex
import stat
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from dotenv import dotenv_values
from flask import Flask

from chirpy.settings import Settings, SettingsError, parse_settings
from chirpy.settings.parsers import PARSERS
from tests.support.server import PROJECT

PAGES = {
    page.name: page.read_text() for page in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"))
}
EXAMPLE = (PROJECT / ".env.example").read_text()
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
INLINE_CODE = re.compile(r"`([^`\n]+)`")
RELATIVE_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
FILE_NAME = re.compile(r"[\w./-]+\.(py|sql|md|txt|http|toml|yml)|(chirpy|tests|docs)/[\w/]*")
FLASK_COMMAND = (
    r"(?:\.venv/bin/)?(?:flask |python -m chirpy\.)"
    r"((?:check|doctor|polka|psql|seed|tokens|webhooks).*)"
)
TABLE_ROW = re.compile(r"^\| `([^`]+)` \|.*?\|(?:([^|]*)\|)?$", re.MULTILINE)
FILES = {
    path.name for room in ("chirpy", "tests", "migrations") for path in (PROJECT / room).rglob("*")
}

every_page = pytest.mark.parametrize("page", PAGES)


def code_blocks(page: str, language: str) -> list[str]:
    return [text for found, text in FENCE.findall(PAGES[page]) if found == language]


def inline_code(page: str) -> list[str]:
    return INLINE_CODE.findall(FENCE.sub("", PAGES[page]))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_relative_links_in_docs_lead_somewhere(page: str) -> None:
    folder = PROJECT if (PROJECT / page).exists() else PROJECT / "docs"
    for path, anchor in RELATIVE_LINK.findall(PAGES[page]):
        target = folder / (path or page)
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@every_page
def test_files_named_in_docs_exist(page: str) -> None:
    named = [code for code in inline_code(page) if FILE_NAME.fullmatch(code)]

    assert [name for name in named if not (PROJECT / name).exists() and name not in FILES] == []


@every_page
def test_command_blocks_in_docs_can_be_pasted_alone_into_bash_and_zsh(page: str) -> None:
    for block in code_blocks(page, "sh"):
        # A pasted comment is a command in zsh, and both shells replace `!` with earlier commands.
        assert not re.findall("[#!]", block), block
        assert not re.findall("[*?]", QUOTED.sub("", block)), f"a file name pattern: {block}"
        defined = re.findall(r"^(\w+)=", block, re.MULTILINE)
        assert set(re.findall(r"\$\{?(\w+)", block)) <= set(defined), block


@every_page
def test_flask_commands_in_docs_have_the_arguments_they_take(page: str, session_app: Flask) -> None:
    lines = [line for block in code_blocks(page, "sh") for line in block.splitlines()]
    for line in (*lines, *inline_code(page)):
        if found := re.match(FLASK_COMMAND, line):
            command, _, _ = found[1].partition(" | ")
            parse_flask_command(session_app, shlex.split(command))


def parse_flask_command(app: Flask, words: list[str]) -> None:
    """Parse the words that follow `flask`. Raise click.UsageError if it does not take them."""
    name, *arguments = words
    command = app.cli.commands[name]
    while isinstance(command, click.Group) and arguments:
        name, *arguments = arguments
        command = command.commands[name]
    if arguments and arguments != ["--help"]:
        with app.app_context():
            command.make_context(name, arguments)


@every_page
def test_make_targets_in_docs_exist(page: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    code = [*code_blocks(page, "sh"), *inline_code(page)]
    named = {name for text in code for name in re.findall(r"^(?:\w+=\S+ )?make ([a-z-]+)", text)}

    assert named <= set(targets)


def test_settings_page_lists_every_setting_with_its_default() -> None:
    documented = {
        name: default.strip() for name, default in TABLE_ROW.findall(PAGES["settings.md"])
    }
    defaults = {
        name: f"`{Settings.__dataclass_fields__[name.lower()].default}`"
        for name, default in documented.items()
        if re.fullmatch("`[^`]+`", default)
    }
    required = {name for name, default in documented.items() if default.startswith("required")}

    assert documented.keys() == PARSERS.keys() | {"SECRET"}
    assert defaults.items() <= documented.items()
    assert required == {"DB_URL", "JWT_SECRET", "POLKA_KEY"}


def test_example_dotenv_has_every_setting_and_lacks_only_the_secrets() -> None:
    settings = re.findall(r"^(#?)(\w+)=(.*)", EXAMPLE, re.MULTILINE)

    assert sorted(name for _, name, _ in settings) == sorted(PARSERS.keys() | {"SECRET"})
    with pytest.raises(SettingsError, match=r"JWT_SECRET is missing.*\n.*POLKA_KEY is missing.*$"):
        parse_settings({name: value for unset, name, value in settings if not unset})


def test_settings_page_has_a_command_that_makes_dotenv_without_python(tmp_path: Path) -> None:
    [command] = [block for block in code_blocks("settings.md", "sh") if "openssl" in block]
    (tmp_path / ".env.example").write_text(EXAMPLE)

    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)
    (tmp_path / ".env.example").write_text("a second run keeps the first .env")
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)

    assert parse_settings(dotenv_values(tmp_path / ".env")).platform == "dev"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_api_page_lists_every_route(session_app: Flask) -> None:
    routes = {
        f"{method} {rule.rule}".replace("path:", "").translate({ord("<"): "{", ord(">"): "}"})
        for rule in session_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {row for row, _ in TABLE_ROW.findall(PAGES["api.md"]) if " /" in row} == routes


def test_architecture_page_lists_what_is_in_the_package() -> None:
    tree, layers = code_blocks("architecture.md", "text")
    listed = set(re.findall(r"^  (\w+(?:\.py)?)", tree, re.MULTILINE))
    contract = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]

    assert listed == {path.name for path in (PROJECT / "chirpy").iterdir()} - {"__pycache__"}
    assert layers.splitlines() == ["app.py", *contract["contracts"][0]["layers"]]
