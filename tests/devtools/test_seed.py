"""`flask seed` makes a small world through the API, and the same one each time."""

import json
from io import StringIO

from flask import Flask
from sqlalchemy import URL

from tests.support.commands import error_of
from tests.support.databases import Sql, an_app

EMAILS = ["ada@example.com", "ben@example.com", "cleo@example.com", "dan@example.com"]
EVENTS = """SELECT regexp_replace(event_id, '-[0-9a-f]*$', ''), outcome, deliveries
    FROM webhook_events ORDER BY first_delivered_at"""
CHIRPS = """SELECT email, body FROM chirps JOIN users ON users.id = user_id
    ORDER BY chirps.created_at"""
TABLES = ("users", "chirps", "webhook_events", "memberships", "refresh_tokens")


def run_seed(app: Flask) -> str:
    """Run `flask seed`, and return what it prints."""
    result = app.test_cli_runner().invoke(args=["seed"])
    assert result.exit_code == 0, result.output
    return result.output


def test_seed_makes_a_world_with_one_red_member_and_all_outcomes(
    app: Flask, sql: Sql, log: StringIO
) -> None:
    output = run_seed(app)

    assert sql("SELECT email FROM users ORDER BY email") == [(email,) for email in EMAILS]
    assert sql(EVENTS) == [
        ("seed-upgrade-of-ada", "applied", 5),
        ("seed-upgrade-of-ben", "applied", 1),
        ("seed-downgrade-of-ben", "applied", 2),
        ("seed-downgrade-of-cleo", "applied", 1),
        ("seed-late-upgrade-of-cleo", "stale", 1),
        ("seed-invoice-of-dan", "ignored", 1),
    ]
    assert ("dan@example.com", "Twice? What a **** for your users") in sql(CHIRPS)
    client = app.test_client()
    for email in EMAILS:
        assert email in output
        answer = client.post("/api/login", json={"email": email, "password": "chirpy"}).json
        assert answer is not None
        assert answer["is_chirpy_red"] == (email == "ada@example.com")
    seeding = [json.loads(line) for line in log.getvalue().splitlines()][: -len(EMAILS)]
    assert seeding == [], "no log line for a request of the command"


def test_second_seed_completes_an_interrupted_one_and_doubles_nothing(app: Flask, sql: Sql) -> None:
    def world() -> list[object]:
        counts = [sql(f"SELECT count(*) FROM {table}") for table in TABLES]
        return [counts, sql(EVENTS), sorted(sql(CHIRPS))]

    run_seed(app)
    complete = world()
    sql("UPDATE webhook_events SET deliveries = 3 WHERE deliveries = 5")
    sql("DELETE FROM chirps WHERE idempotency_key = 'seed-11'")

    for _ in range(2):
        run_seed(app)
        assert world() == complete


def test_seed_signs_its_deliveries(database_url: URL, sql: Sql) -> None:
    with an_app(database_url, polka_webhook_secrets=(b"k" * 32,)) as app:
        run_seed(app)

    assert len(sql(EVENTS)) == 6


def test_seed_is_for_development_only(database_url: URL, sql: Sql) -> None:
    with an_app(database_url, platform="prod") as app:
        message = error_of(app, "seed")

    assert message.startswith("Error: PLATFORM is prod, and everybody knows the passwords")
    assert message.endswith("\nNext: set PLATFORM=dev in .env\n")
    assert sql("SELECT email FROM users") == []


def test_seed_keeps_a_user_who_has_another_password(app: Flask) -> None:
    app.test_client().post("/api/users", json={"email": "ada@example.com", "password": "mine"})

    assert error_of(app, "seed").startswith("Error: POST /api/users: ")
