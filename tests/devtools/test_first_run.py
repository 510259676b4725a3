"""The first `make run` writes a .env with fresh secrets, for the developer only."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from chirpy.devtools.first_run import write_dotenv


def test_first_run_writes_its_own_secrets_privately_and_prints_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dotenv = tmp_path / "new.env"

    write_dotenv(dotenv)

    printed = capsys.readouterr().out
    write_dotenv(tmp_path / "other.env")
    settings, other = dotenv_values(dotenv), dotenv_values(tmp_path / "other.env")
    assert settings["PLATFORM"] == "dev"
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o600
    assert "new.env" in printed
    for name in ("JWT_SECRET", "POLKA_KEY"):
        assert len(settings[name] or "") >= 32
        assert str(settings[name]) not in printed
        assert settings[name] != other[name]


def test_first_run_never_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1234\n")

    with pytest.raises(FileExistsError):
        write_dotenv(tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == "PORT=1234\n"
