"""`flask tokens prune` deletes refresh tokens that ended some time ago, and no other."""

import pytest
from flask import Flask

from chirpy.accounts import pruning
from tests.support.commands import error_of
from tests.support.databases import UNREACHABLE, Sql, an_app
from tests.support.factories import a_user

ENDS = {  # in days from now: when the token expires, and when it was revoked
    "valid": (30, None),
    "revoked": (30, -1),
    "revoked long ago": (30, -31),
    "expired": (-1, None),
    "expired long ago": (-31, None),
    "revoked, then expired long ago": (-31, -40),
    "expired long ago, then revoked": (-40, -1),
}
TOKEN = """INSERT INTO refresh_tokens (token_hash, user_id, expires_at, revoked_at)
    VALUES (sha256(%s::text::bytea), %s, now() + interval '1 day' * %s,
        now() + interval '1 day' * %s)"""


@pytest.fixture(autouse=True)
def _tokens(sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Insert one token of each kind, which are several batches."""
    monkeypatch.setattr(pruning, "BATCH", 2)
    for name, (expires, revoked) in ENDS.items():
        sql(TOKEN, name, a_user(sql), expires, revoked)


def kept(sql: Sql) -> list[str]:
    """Return the names of the tokens that are left."""
    is_kept = "SELECT 1 FROM refresh_tokens WHERE token_hash = sha256(%s::text::bytea)"
    return [name for name in ENDS if sql(is_kept, name)]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([], ["valid", "revoked", "expired"]),
        (["--older-than", "0s"], ["valid"]),
        (["--older-than", "90d"], list(ENDS)),
    ],
)
def test_prune_deletes_tokens_that_ended_before_a_time(
    app: Flask, sql: Sql, options: list[str], names: list[str]
) -> None:
    results = [app.test_cli_runner().invoke(args=["tokens", "prune", *options]) for _ in "12"]

    assert kept(sql) == names
    assert [result.stdout for result in results] == [
        f"Pruned {number} refresh tokens and 0 counters\n" for number in (len(ENDS) - len(names), 0)
    ]


def test_prune_deletes_empty_counters(app: Flask, sql: Sql) -> None:
    sql("INSERT INTO attempt_counters VALUES ('empty', now()), ('full', now() + interval '1 hour')")

    result = app.test_cli_runner().invoke(args=["tokens", "prune"])

    assert result.stdout == f"Pruned {len(ENDS) - 3} refresh tokens and 1 counters\n"
    assert sql("SELECT key::text FROM attempt_counters") == [(r"\x66756c6c",)]


def test_prune_of_the_future_is_a_usage_error(app: Flask, sql: Sql) -> None:
    options = ["--older-than", "2999-01-31"]

    assert app.test_cli_runner().invoke(args=["tokens", "prune", *options]).exit_code == 2
    assert kept(sql) == list(ENDS)


def test_prune_without_a_database_names_the_next_step() -> None:
    with an_app(UNREACHABLE) as app:
        assert "Next: start Postgres" in error_of(app, "tokens", "prune")
