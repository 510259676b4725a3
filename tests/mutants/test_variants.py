"""Apply each variant of variants.toml to a copy of the project: its tests must fail there."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from tests.support.server import PROJECT

TIMEOUT = 120  # seconds; most take 5
ASSERTIONS = ("assert ", "AssertionError", "Failed: DID NOT RAISE")
# A variant looks right: it passes this test. Code that is just broken would fail every test.
TEST_OF_UPGRADES = "test_upgrade_is_204_without_a_body_and_makes_the_user_red"
LOOKS_RIGHT = f"webhooks/test_receiving.py::{TEST_OF_UPGRADES}"
RULE, VERSIONS = Path("chirpy/webhooks/receive_event.sql"), Path("migrations/versions")
# Earlier migrations create the function receive_event. This one replaces it with a changed one.
MIGRATION = """\
from alembic import op
revision, down_revision = "9999", "{latest}"
def upgrade():
    op.execute("DROP FUNCTION receive_event")
    op.get_bind().exec_driver_sql({sql!r})
"""


class Variant(NamedTuple):
    """A wrong receiver, and the tests that must catch it."""

    thought: str
    caught_by: list[str]
    changes: list[tuple[str, str, str]]  # a file in chirpy/, old and new text

    def changed_files(self, project: Path) -> dict[Path, str]:
        """Return the new texts of files. Each old text must occur once."""
        texts: dict[Path, str] = {}
        for name, old, new in self.changes:
            path = Path("chirpy", name)
            text = texts.get(path) or (project / path).read_text()
            assert text.count(old) == 1, f"not once in {name}: {old}"
            texts[path] = text.replace(old, new)
        if RULE in texts:
            latest = max(path.name[:4] for path in (project / VERSIONS).glob("[0-9]*.py"))
            texts[VERSIONS / "9999_.py"] = MIGRATION.format(latest=latest, sql=texts[RULE])
        return texts


TABLES = tomllib.loads(Path(__file__).with_name("variants.toml").read_text())
VARIANTS = {name: Variant(**table) for name, table in TABLES.items()}
every_variant = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


@pytest.fixture(scope="session")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files that git has or would add."""
    folder = tmp_path_factory.mktemp("unchanged")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listing, cwd=PROJECT, text=True).split("\0")
    for path in filter(Path.is_file, map(PROJECT.joinpath, names)):
        copy = folder / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    return folder


def run_tests(project: Path, *tests: str) -> dict[str, str]:
    """Run tests of a copy. Return what each failed test raised, or "error" outside its body."""
    report = project / "report.xml"
    options = ("-p", "no:randomly", "-p", "no:cacheprovider", f"--junitxml={report}")
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"tests/{test}" for test in tests)],
        cwd=project,
        stdout=subprocess.DEVNULL,
        timeout=TIMEOUT,
        check=False,
    )
    return dict(read_failures(report))


def read_failures(report: Path) -> Iterator[tuple[str, str]]:
    """Yield the id of each failed test, and what it raised, from pytest's JUnit report."""
    cases = list(ET.parse(report).iter("testcase"))
    assert cases, "no test was run"
    for case in cases:
        file = case.attrib["classname"].removeprefix("tests.").replace(".", "/")
        for found in (*case.iter("error"), *case.iter("failure")):
            message = found.attrib["message"] if found.tag == "failure" else "error"
            yield f"{file}.py::{case.attrib['name']}", message


@every_variant
def test_variant_changes_texts_that_occur_once(variant: Variant) -> None:
    assert variant.changed_files(PROJECT)


@pytest.mark.mutants
def test_tests_that_catch_variants_pass_without_a_change(unchanged: Path) -> None:
    tests = {test for variant in VARIANTS.values() for test in variant.caught_by}

    assert run_tests(unchanged, LOOKS_RIGHT, *tests) == {}


@pytest.mark.mutants
@every_variant
def test_variant_looks_right_but_fails_each_of_its_tests(
    unchanged: Path, tmp_path: Path, variant: Variant
) -> None:
    copy = shutil.copytree(unchanged, tmp_path / "copy")
    for path, text in variant.changed_files(copy).items():
        (copy / path).write_text(text)

    failures = run_tests(copy, LOOKS_RIGHT, *variant.caught_by)

    assert LOOKS_RIGHT not in [test.partition("[")[0] for test in failures]
    assert "error" not in failures.values()
    asserted = [test for test, raised in failures.items() if raised.startswith(ASSERTIONS)]
    for name in variant.caught_by:
        assert [test for test in asserted if test == name or test.startswith(f"{name}[")], name
