"""Settings: read once, checked before anything starts, all that is wrong named at once."""

import stat
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

from chirpy.devtools import first_run
from chirpy.settings import Settings, SettingsError, read_settings
from tests.support.server import SECRETS, SETTINGS

KEY = bytes(range(32))
SIGNING_SECRET = "whsec_" + b64encode(KEY).decode()

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read settings: `read("a .env file", NAME="what the environment says")`."""

    def read(dotenv: str = "", **given: str) -> Settings:
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        (tmp_path / ".env").write_text(dotenv)
        return read_settings(tmp_path / ".env")

    return read


def complaint(read: Read, **given: str) -> str:
    """What is said of settings that are wrong, which repeats none of them."""
    with pytest.raises(SettingsError) as refused:
        read(**given)
    said = str(refused.value)
    assert not [value for value in given.values() if len(value) > 3 and value in said]
    return said


def test_two_secrets_are_all_it_takes(read: Read) -> None:
    settings = read(**SECRETS)

    assert settings.db_url is None
    assert settings.platform == "prod"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert 2 * settings.workers * settings.threads < 100  # what a stock Postgres takes


def test_everything_that_is_missing_is_named_at_once(read: Read) -> None:
    said = complaint(read)

    assert "JWT_SECRET is missing" in said
    assert "POLKA_KEY is missing" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_SECRET", "too short by one byte of the 32"),
        ("POLKA_KEY", "with a blank"),
        ("POLKA_KEY", "schlüssel"),
        ("POLKA_WEBHOOK_SECRETS", "whsec_not-base64"),
        ("POLKA_WEBHOOK_SECRETS", "whsec_" + b64encode(KEY[:23]).decode()),
        ("POLKA_WEBHOOK_SECRETS", SIGNING_SECRET.removeprefix("whsec_")),
        ("PLATFORM", "staging"),
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("THREADS", "many"),
        ("DB_URL", "localhost:5432"),
        ("DB_URL", "mysql://root@localhost/chirpy"),
        ("DB_URL", "postgres://chirpy:s3cr3t@localhost:fifty/chirpy"),
    ],
)
def test_what_is_wrong_is_named_and_never_repeated(read: Read, name: str, value: str) -> None:
    said = complaint(read, **SECRETS | {name: value})

    assert [line.split()[0] for line in said.splitlines()[1:]] == [name]


@pytest.mark.parametrize("port", ["80_97", "+8097", " 8097", "8097.0", "٨٠٨٠", "9" * 5000])
def test_a_number_is_written_in_plain_digits_within_its_bounds(read: Read, port: str) -> None:
    said = complaint(read, PORT=port, WORKERS="257", THREADS="1e1", **SECRETS)

    assert said.splitlines()[1:] == [
        "  PORT must be a whole number from 1 to 65535",
        "  WORKERS must be a whole number from 1 to 256",
        "  THREADS must be a whole number from 1 to 256",
    ]


def test_all_that_is_wrong_is_named_at_once(read: Read) -> None:
    said = complaint(read, PLATFORM="staging", PORT="eighty", DB_URL="nowhere", JWT_SECRET="s3cret")

    named = {line.split()[0] for line in said.splitlines()[1:]}
    assert named == {"PLATFORM", "PORT", "DB_URL", "JWT_SECRET", "POLKA_KEY"}


@pytest.mark.parametrize(
    "url",
    ["postgres://u:p@h:1/d", "postgresql://u:p@h:1/d", "postgres://u:p@h:1/d?sslmode=disable"],
)
def test_the_database_is_named_as_people_write_it(read: Read, url: str) -> None:
    read_url = read(DB_URL=url, **SECRETS).db_url

    assert read_url is not None
    assert read_url.drivername == "postgresql+psycopg2"
    assert (read_url.host, read_url.port, read_url.database) == ("h", 1, "d")
    assert read_url.query == ({"sslmode": "disable"} if "?" in url else {})


def test_the_courses_own_name_for_the_secret_will_do(read: Read) -> None:
    secret, other = SECRETS["JWT_SECRET"], "x" * 32

    assert read(SECRET=secret, POLKA_KEY="key").jwt_secret == secret
    assert read(SECRET=other, JWT_SECRET=secret, POLKA_KEY="key").jwt_secret == secret


def test_signatures_may_stand_in_for_the_key_and_several_may_hold(read: Read) -> None:
    settings = read(
        JWT_SECRET=SECRETS["JWT_SECRET"],
        POLKA_WEBHOOK_SECRETS=f"{SIGNING_SECRET}, {SIGNING_SECRET}",
    )

    assert settings.polka_key is None
    assert settings.polka_webhook_secrets == (KEY, KEY)


def test_dotenv_fills_what_the_environment_lacks_and_overrides_nothing(read: Read) -> None:
    dotenv = "PORT=1111\nPLATFORM=dev\nPOLKA_KEY=from_dotenv\n"
    settings = read(dotenv, PORT="2222", JWT_SECRET=SECRETS["JWT_SECRET"])

    assert (settings.port, settings.platform, settings.polka_key) == (2222, "dev", "from_dotenv")


def test_blank_is_as_good_as_unset(read: Read) -> None:
    settings = read("PLATFORM=\nHOST=''\n", PORT="", DB_URL="", **SECRETS)

    assert settings == read(**SECRETS)


def test_a_blank_in_the_environment_turns_off_what_dotenv_says(read: Read) -> None:
    assert read("DB_URL=postgres://localhost/chirpy", DB_URL="", **SECRETS).db_url is None


def test_a_value_in_dotenv_is_taken_as_it_stands(read: Read) -> None:
    assert read("POLKA_KEY='a$HOME${HOME}#b'\n", **SECRETS | {"POLKA_KEY": "x"}).polka_key == "x"
    jwt_secret = SECRETS["JWT_SECRET"]
    assert read("POLKA_KEY='a$HOME${HOME}#b'\n", JWT_SECRET=jwt_secret).polka_key == (
        "a$HOME${HOME}#b"
    )


def test_settings_can_be_shown_without_telling_a_secret(read: Read) -> None:
    url = "postgres://chirpy:s3cr3t@localhost/chirpy?sslpassword=s3cr3t"
    settings = read(DB_URL=url, POLKA_WEBHOOK_SECRETS=SIGNING_SECRET, **SECRETS)

    for shown in (repr(settings), str(settings)):
        assert "platform='prod'" in shown
        assert not [
            hidden for hidden in ("s3cr3t", *SECRETS.values(), repr(KEY)) if hidden in shown
        ]


def test_a_first_run_writes_settings_that_work_for_their_owner_alone(
    read: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first_run.write_dotenv(tmp_path / "new.env")
    written = (tmp_path / "new.env").read_text()
    settings = read(written)

    assert settings.platform == "dev"
    assert stat.S_IMODE((tmp_path / "new.env").stat().st_mode) == 0o600
    said = capsys.readouterr().out
    assert "new.env" in said
    assert settings.jwt_secret not in said
    assert str(settings.polka_key) not in said


def test_every_first_run_makes_secrets_of_its_own(tmp_path: Path) -> None:
    for name in ("one", "another"):
        first_run.write_dotenv(tmp_path / name)
    one, another = dotenv_values(tmp_path / "one"), dotenv_values(tmp_path / "another")

    assert one["JWT_SECRET"] != another["JWT_SECRET"]
    assert one["POLKA_KEY"] != another["POLKA_KEY"]


def test_a_first_run_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1234\n")

    with pytest.raises(FileExistsError):
        first_run.write_dotenv(tmp_path / ".env")
    assert (tmp_path / ".env").read_text() == "PORT=1234\n"


def test_a_password_in_the_query_is_as_secret_as_one_in_its_place(read: Read) -> None:
    url = "postgres://learner@host/chirpy?sslmode=disable&password=hush"

    settings = read(DB_URL=url, **SECRETS)

    assert settings.db_url is not None
    assert settings.db_url.password == "hush"
    assert "hush" not in repr(settings)
    assert settings.db_url.query == {"sslmode": "disable"}
