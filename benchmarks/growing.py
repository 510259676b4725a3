"""More chirps and more events, made by SQL, with authors who have few and many of them."""

from datetime import datetime
from typing import NamedTuple

import click

from benchmarks.house import House

FEW, MANY = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
CHIRPS_OF_FEW = 10
BATCH = 1_000_000  # rows of one statement
# It is made sure of that the authors exist; to ask again for each chirp would take twice the time.
UNCHECKED = "SET session_replication_role = replica"
SETTLE = ("VACUUM ANALYZE", "CHECKPOINT")  # what a server that has had the time has done

MAKE_USERS = """
    INSERT INTO users (id, email)
    SELECT
        ('00000000-0000-4000-8000-' || lpad(number::text, 12, '0'))::uuid,
        'user-' || number || '@bench.example'
    FROM generate_series(1, 1000) AS number
"""
# The first ones are of one author, half of the others of another, the rest is of everybody.
MAKE_CHIRPS = f"""
    INSERT INTO chirps (created_at, updated_at, body, user_id)
    SELECT
        moment, moment,
        'Number ' || number || ': the quick brown fox jumps over the lazy dog, and back again',
        CASE
            WHEN number <= {CHIRPS_OF_FEW} THEN '{FEW}'::uuid
            WHEN number % 2 = 0 THEN '{MANY}'::uuid
            ELSE ('00000000-0000-4000-8000-' || lpad((3 + number % 998)::text, 12, '0'))::uuid
        END
    FROM
        generate_series({{first}}, {{last}}) AS number,
        LATERAL (SELECT timestamptz '2020-01-01' + number * interval '1 second') AS at (moment)
"""  # noqa: S608 - all of it stands above
MAKE_EVENTS = """
    INSERT INTO webhook_events
        (event_id, type, user_id, body, fingerprint, outcome, first_delivered_at, last_delivered_at)
    SELECT
        'evt_' || md5(number::text), 'user.upgraded', user_id,
        json_build_object(
            'id', 'evt_' || md5(number::text), 'event', 'user.upgraded',
            'data', json_build_object('user_id', user_id)
        ),
        sha256(user_id::text::bytea), 'applied', moment, moment
    FROM
        generate_series({first}, {last}) AS number,
        LATERAL (
            SELECT
                ('00000000-0000-4000-8000-' || lpad((1 + number % 1000)::text, 12, '0'))::uuid,
                timestamptz '2020-01-01' + number * interval '1 second'
        ) AS about (user_id, moment)
"""


class Kind(NamedTuple):
    """Something that there may be more and more of, and the statement that makes it."""

    name: str
    make: str


CHIRPS = Kind("chirps", MAKE_CHIRPS)
EVENTS = Kind("events", MAKE_EVENTS)


def make_users(house: House) -> None:
    """Those whom chirps and events are about."""
    house.sql(MAKE_USERS)


def grow(house: House, kind: Kind, size: int) -> None:
    """Make so many, in the order of their times."""
    for first in range(1, size + 1, BATCH):
        last = min(first + BATCH - 1, size)
        click.echo(f"Making {kind.name} up to {last:,}")
        house.sql(UNCHECKED, kind.make.format(first=first, last=last))
    house.sql(*SETTLE)


def chirp(house: House, number: int) -> tuple[datetime, str]:
    """When chirp `number` was posted, and its id."""
    moment = f"timestamptz '2020-01-01' + {number} * interval '1 second'"
    [[created_at, chirp_id]] = house.sql(
        f"SELECT created_at, id FROM chirps WHERE created_at = {moment}"  # noqa: S608 - a number
    )
    return created_at, str(chirp_id)
