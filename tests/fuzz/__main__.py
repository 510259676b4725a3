"""Let atheris look for inputs that break a parser. It prefers those that reach new code."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click

NAMES = ["fuzz_json", "fuzz_signature", "fuzz_settings"]
INSTRUMENTED = ["chirpy", "dotenv", "json"]
LIMITS = ["-timeout=5", "-max_len=4096", "-rss_limit_mb=1024", "-seed=1", "-verbosity=0"]
MISSING = """\
The parsers were not fuzzed: atheris is not installed.
Next: .venv/bin/pip install -r requirements-fuzz.txt; it has packages for Linux and some Pythons"""


@click.command
@click.option("--seconds", default=20, show_default=True, help="For each parser.")
@click.option("--corpus", type=Path, hidden=True)
def main(seconds: int, corpus: Path | None) -> None:
    """Fuzz each parser in a process of its own, all at once. Exit with 1 if one breaks."""
    if find_spec("atheris") is None:
        click.echo(MISSING)
        return
    if corpus:
        fuzz(corpus, seconds)
    with TemporaryDirectory() as folder:
        processes = {name: start(Path(folder, name), seconds) for name in NAMES}
        for name, process in processes.items():
            output, _ = process.communicate()
            click.echo(output if process.returncode else f"{name}: nothing found")
    sys.exit(any(process.returncode for process in processes.values()))


def start(corpus: Path, seconds: int) -> subprocess.Popen[bytes]:
    """Start to fuzz the parser that the folder of inputs is named after."""
    command = [sys.executable, "-m", __package__, f"--seconds={seconds}", f"--corpus={corpus}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def fuzz(corpus: Path, seconds: int) -> None:
    """Fuzz one parser. This ends the process, with another exit code than 0 if it breaks."""
    atheris = import_module("atheris")  # it has no types
    with atheris.instrument_imports(include=INSTRUMENTED):
        parsers = import_module("tests.fuzz.parsers")
    corpus.mkdir()
    for number, data in enumerate(parsers.SEEDS[corpus.name]):
        (corpus / str(number)).write_bytes(data)
    flags = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={corpus}/", str(corpus)]
    atheris.Setup([sys.argv[0], *flags], getattr(parsers, corpus.name))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
