"""The programs as the server's user runs them: where they are, or copied within reach."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Self

from chirpy.devtools.postgres import binaries
from chirpy.devtools.postgres.binaries import NEEDED, WHEEL, Binaries
from chirpy.devtools.postgres.failures import PostgresMissing
from chirpy.devtools.postgres.place import Place


@dataclass(frozen=True)
class Programs:
    """The programs that fit the data of one place, run in it by its owner."""

    place: Place
    folder: Path
    major: int

    @classmethod
    def of(cls, place: Place) -> Self:
        """Return those of the data's version, or the newest if there are no data yet."""
        chosen = binaries.choose(place.major)
        return cls(place, within_reach(chosen, place), chosen.major)

    def run(
        self,
        program: str,
        *options: str,
        statements: str = "",
        keep_open: Sequence[int] = (),
    ) -> CompletedProcess[str]:
        """Run one of them; paths in `options` are relative to the place."""
        return self.place.owner.run(
            [str(self.folder / program), *options],
            folder=self.place.home,
            statements=statements,
            keep_open=keep_open,
        )


def within_reach(chosen: Binaries, place: Place) -> Path:
    """Return a folder with the `chosen` programs that the owner of `place` may run."""
    if runs(chosen.folder, place):
        return chosen.folder
    if not chosen.from_wheel:
        raise PostgresMissing(f"{place.owner.name} may not run the Postgres in {chosen.folder}.")
    installation = chosen.folder.parent
    copy = place.home / f"programs-{'.'.join(map(str, chosen.version))}"
    if not copy.is_dir():
        copy_needed(installation, copy)
    return copy / WHEEL / installation.name / "bin"


def runs(folder: Path, place: Place) -> bool:
    """Whether the owner of `place` can run what is in `folder`: tried, not guessed."""
    return place.owner.run([folder / "postgres", "--version"]).returncode == 0


def copy_needed(installation: Path, copy: Path) -> None:
    """Copy what a server needs of the wheel, in one step as seen from outside.

    The layout stays: programs find their libraries by the path from one to the other.
    """
    draft = copy.with_name("programs.new")
    shutil.rmtree(draft, ignore_errors=True)
    target = draft / WHEEL / installation.name
    (target / "bin").mkdir(parents=True)
    for program in NEEDED:
        shutil.copyfile(installation / "bin" / program, target / "bin" / program)
    copy_folder(installation, target, "lib/postgresql")
    copy_folder(installation, target, "share/postgresql")
    copy_folder(installation.parents[1], draft, f"{WHEEL}.libs")
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755)  # whatever the mask was when the wheel was installed
    draft.rename(copy)


def copy_folder(source: Path, target: Path, name: str) -> None:
    """Copy the folder `name` if the wheel has it; builds that need no library have none."""
    if (source / name).is_dir():
        shutil.copytree(source / name, target / name, copy_function=shutil.copyfile)
