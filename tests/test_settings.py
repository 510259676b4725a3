"""Settings are read once and checked before anything starts; all problems are named together."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from chirpy.server.dotenv import read_settings
from chirpy.settings import Settings, SettingsError
from chirpy.settings.database_url import parse_database_url, show_database_url
from tests.support.server import SECRETS, SETTINGS

KEY = bytes(range(32))
SIGNING_SECRET = "whsec_" + b64encode(KEY).decode()
DB_URL = {"DB_URL": "postgres://localhost/chirpy"}
REQUIRED = DB_URL | SECRETS
JWT_SECRET = DB_URL | {"JWT_SECRET": SECRETS["JWT_SECRET"]}

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


def test_production_requires_two_secrets_and_a_database(read: Read) -> None:
    settings = read(**REQUIRED)

    assert settings.platform == "prod"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert 2 * settings.db_connections <= 97  # two servers and a default Postgres


@pytest.mark.parametrize("platform", ["", "prod"])
def test_only_development_starts_without_db_url(read: Read, platform: str) -> None:
    [problem] = problems(read, PLATFORM=platform, **SECRETS)

    assert problem.startswith("DB_URL is missing: ")
    assert read(PLATFORM="dev", **SECRETS).db_url is None


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
        ("DB_URL", "postgres://chirpy:s3cr3t@localhost"),
        ("DB_URL", "postgres://chirpy:s3cr3t@localhost:5432/"),
    ],
)
def test_invalid_value_is_named_but_not_repeated(read: Read, name: str, value: str) -> None:
    [problem] = problems(read, **REQUIRED | {name: value})

    assert problem.split()[0] == name


@pytest.mark.parametrize("password", ["s3cr3t@tail", "s3cr3t@t/il", "s3@cr@et"])
def test_at_sign_in_the_password_of_db_url_must_be_percent_encoded(
    read: Read, password: str
) -> None:
    url = "postgres://chirpy:{}@localhost/chirpy"
    [problem] = problems(read, **REQUIRED | {"DB_URL": url.format(password)})

    assert "write %40 instead" in problem
    assert not [part for part in password.split("@") if part in problem]
    encoded = read(**REQUIRED | {"DB_URL": url.format(password.replace("@", "%40"))})
    assert encoded.db_url is not None
    assert encoded.db_url.password == password


@pytest.mark.parametrize(
    "port", ["0", "65536", "eighty", "80_97", "+8097", "8097.0", "٨٠٨٠", "9" * 5000]
)
def test_numbers_are_decimal_digits_within_bounds(read: Read, port: str) -> None:
    assert problems(read, PORT=port, WORKERS="257", THREADS="1e1", **REQUIRED) == [
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
        ("postgres://u:p,q@h/d", "postgresql+psycopg2://u:p%2Cq@h/d"),
        ("postgres://u:p@h:1,i:2/d?a=b", "postgresql+psycopg2://u:p@/d?a=b&host=h%2Ci&port=1%2C2"),
        (
            "postgres://u:p@/d?host=h:1&host=i:2",
            "postgresql+psycopg2://u:p@/d?host=h%2Ci&port=1%2C2",
        ),
        ("postgres://[::1]:1,h/d", "postgresql+psycopg2:///d?host=%3A%3A1%2Ch&port=1%2C"),
    ],
)
def test_db_url_names_the_driver_and_the_password(read: Read, given: str, used: str) -> None:
    url = read(DB_URL=given, **SECRETS).db_url

    assert url is not None
    assert url.render_as_string(hide_password=False) == used
    assert parse_database_url(used) == url


@pytest.mark.parametrize(
    "given", ["postgres://u@h:1,i:2/d?a=b", "postgres://u@[::1]:1,h/d", "postgres://u@h/d"]
)
def test_db_url_is_shown_as_it_was_written(given: str) -> None:
    assert show_database_url(parse_database_url(given)) == given


@pytest.mark.parametrize(
    "given",
    [
        "postgres://u:p@/d?host=h:1,i:2",  # libpq would look up the host `h:1`
        "postgres://u:p@h:1/d?host=i:2",  # libpq would ignore h
        "postgres://u:p@h:1,i:2/d?host=j",
        "postgres://u:p@h:1,i:fifty/d",
        "postgres://u:p@h,i:2,/d",
        "postgres://u:p@/d?host=h,i&port=1",
    ],
)
def test_several_hosts_have_one_form(read: Read, given: str) -> None:
    [problem] = problems(read, **REQUIRED | {"DB_URL": given})

    assert problem.endswith("postgres://user:password@host1:5432,host2:5432/name")


def test_secret_is_another_name_of_jwt_secret(read: Read) -> None:
    other = "x" * 32

    assert read(SECRET=other, POLKA_KEY="key", **DB_URL).jwt_secret == other
    assert read(SECRET=other, **REQUIRED).jwt_secret == SECRETS["JWT_SECRET"]


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
    dotenv = "PORT=\nHOST=''\nDB_URL=postgres://localhost/chirpy"
    development = {"PLATFORM": "dev"} | SECRETS

    assert read(dotenv, THREADS="", DB_URL="", **development) == read(**development)


def test_dotenv_values_are_not_interpolated(read: Read) -> None:
    assert read("POLKA_KEY='a$HOME${HOME}#b'\n", **JWT_SECRET).polka_key == "a$HOME${HOME}#b"


def test_unreadable_dotenv_is_named(read: Read, tmp_path: Path) -> None:
    (tmp_path / "other.env").write_bytes(b"\xff")

    with pytest.raises(SettingsError, match=r"other\.env is not text in UTF-8"):
        read_settings(tmp_path / "other.env")
    with pytest.raises(SettingsError, match=rf"cannot read {tmp_path}: .*Is a directory"):
        read_settings(tmp_path)


def test_broken_lines_of_dotenv_are_named_by_file_and_number(read: Read, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read("\n# a comment\nPORT=8080\n\nPOLKA_KEY s3cr3t\nHOST\n\nJWT_SECRET='s3cr3t\n")

    assert str(caught.value).startswith(f"{tmp_path}/.env, line 5, 6, 8: ")
    assert "\nNext: correct it" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_dotenv_of_windows_is_read(read: Read) -> None:
    assert read("\ufeffPORT=1111\r\nHOST=::1\r\n", **REQUIRED).port == 1111


def test_missing_settings_without_dotenv_lead_to_make_run_and_the_example(
    read: Read, tmp_path: Path
) -> None:
    step = "Next: make run, which writes a .env; or cp .env.example .env, and fill it in"
    with pytest.raises(SettingsError) as without:
        read_settings(tmp_path / "none.env")

    assert str(without.value).endswith(f"\n{step}")
    assert step not in "\n".join(problems(read))


@pytest.mark.parametrize("option", ["sslpassword", "password"])
def test_repr_of_settings_shows_no_secret(read: Read, option: str) -> None:
    url = f"postgres://chirpy:s3cr3t@localhost/chirpy?sslmode=disable&{option}=s3cr3t"
    settings = read(DB_URL=url, POLKA_WEBHOOK_SECRETS=SIGNING_SECRET, **SECRETS)

    assert "platform='prod'" in repr(settings)
    for secret in ("s3cr3t", *SECRETS.values(), repr(KEY)):
        assert secret not in repr(settings)
