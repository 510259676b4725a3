"""Settings are read once and checked before anything starts; all problems are named together."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from chirpy.settings import Settings, SettingsError, read_settings
from tests.support.server import SECRETS, SETTINGS

KEY = bytes(range(32))
SIGNING_SECRET = "whsec_" + b64encode(KEY).decode()
JWT_SECRET = {"JWT_SECRET": SECRETS["JWT_SECRET"]}

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return a function that reads settings: `read("text of .env", NAME="in the environment")`."""

    def read(dotenv: str = "", **given: str) -> Settings:
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        (tmp_path / ".env").write_text(dotenv)
        return read_settings(tmp_path / ".env")

    return read


def problems(read: Read, **given: str) -> list[str]:
    """Return the problems that the error names, which never repeats a value."""
    with pytest.raises(SettingsError) as caught:
        read(**given)
    message = str(caught.value)
    assert not [value for value in given.values() if len(value) > 3 and value in message]
    return [line.strip() for line in message.splitlines()[1:]]


def test_two_secrets_are_all_required_settings(read: Read) -> None:
    settings = read(**SECRETS)

    assert settings.db_url is None
    assert settings.platform == "prod"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert 2 * settings.workers * settings.threads < 100  # connections of a default Postgres


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", "too short by one byte of the 32"),
        ("POLKA_KEY", "with a space"),
        ("POLKA_KEY", "schlüssel"),
        ("POLKA_WEBHOOK_SECRETS", "whsec_not-base64"),
        ("POLKA_WEBHOOK_SECRETS", "whsec_" + b64encode(KEY[:23]).decode()),
        ("POLKA_WEBHOOK_SECRETS", SIGNING_SECRET.removeprefix("whsec_")),
        ("POLKA_WEBHOOK_SECRETS", " , "),  # would leave deliveries without a signature
        ("PLATFORM", "staging"),
        ("DB_URL", "localhost:5432"),
        ("DB_URL", "mysql://root@localhost/chirpy"),
        ("DB_URL", "postgres://chirpy:s3cr3t@localhost:fifty/chirpy"),
    ],
)
def test_invalid_value_is_named_but_not_repeated(read: Read, name: str, value: str) -> None:
    [problem] = problems(read, **SECRETS | {name: value})

    assert problem.split()[0] == name


@pytest.mark.parametrize(
    "port", ["0", "65536", "eighty", "80_97", "+8097", "8097.0", "٨٠٨٠", "9" * 5000]
)
def test_numbers_are_decimal_digits_within_bounds(read: Read, port: str) -> None:
    assert problems(read, PORT=port, WORKERS="257", THREADS="1e1", **SECRETS) == [
        "PORT must be a whole number from 1 to 65535",
        "WORKERS must be a whole number from 1 to 256",
        "THREADS must be a whole number from 1 to 256",
    ]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h:1/d", "postgresql+psycopg2://u:p@h:1/d"),
        ("postgresql://u:p@h:1/d?sslmode=a", "postgresql+psycopg2://u:p@h:1/d?sslmode=a"),
        ("postgres://u@h/d?sslmode=a&password=p", "postgresql+psycopg2://u:p@h/d?sslmode=a"),
    ],
)
def test_db_url_names_the_driver_and_the_password(read: Read, given: str, used: str) -> None:
    url = read(DB_URL=given, **SECRETS).db_url

    assert url is not None
    assert url.render_as_string(hide_password=False) == used


def test_secret_is_another_name_of_jwt_secret(read: Read) -> None:
    other = "x" * 32

    assert read(SECRET=other, POLKA_KEY="key").jwt_secret == other
    assert read(SECRET=other, **SECRETS).jwt_secret == SECRETS["JWT_SECRET"]


def test_webhook_secrets_replace_the_polka_key(read: Read) -> None:
    secrets = f"{SIGNING_SECRET}, {SIGNING_SECRET},"

    settings = read(POLKA_WEBHOOK_SECRETS=secrets, **JWT_SECRET)

    assert settings.polka_key is None
    assert settings.polka_webhook_secrets == (KEY, KEY)


def test_environment_overrides_dotenv(read: Read) -> None:
    dotenv = "PORT=1111\nPLATFORM=dev\nPOLKA_KEY=from_dotenv\n"

    settings = read(dotenv, PORT="2222", **JWT_SECRET)

    assert (settings.port, settings.platform, settings.polka_key) == (2222, "dev", "from_dotenv")


def test_empty_value_counts_as_unset_and_overrides_dotenv(read: Read) -> None:
    dotenv = "PLATFORM=\nHOST=''\nDB_URL=postgres://localhost/chirpy"

    assert read(dotenv, PORT="", DB_URL="", **SECRETS) == read(**SECRETS)


def test_dotenv_values_are_not_interpolated(read: Read) -> None:
    assert read("POLKA_KEY='a$HOME${HOME}#b'\n", **JWT_SECRET).polka_key == "a$HOME${HOME}#b"


def test_unreadable_dotenv_is_named(read: Read, tmp_path: Path) -> None:
    (tmp_path / "other.env").write_bytes(b"\xff")

    with pytest.raises(SettingsError, match=r"cannot read .*other\.env"):
        read_settings(tmp_path / "other.env")


@pytest.mark.parametrize("option", ["sslpassword", "password"])
def test_repr_of_settings_shows_no_secret(read: Read, option: str) -> None:
    url = f"postgres://chirpy:s3cr3t@localhost/chirpy?sslmode=disable&{option}=s3cr3t"
    settings = read(DB_URL=url, POLKA_WEBHOOK_SECRETS=SIGNING_SECRET, **SECRETS)

    assert "platform='prod'" in repr(settings)
    for secret in ("s3cr3t", *SECRETS.values(), repr(KEY)):
        assert secret not in repr(settings)
