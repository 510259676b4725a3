"""Users and chirps made by SQL: many, and with ids that `pgbench` can make up as well."""

from benchmarks.house import House
from benchmarks.scene import Scene

USERS, CHIRPS = 1000, 10_000
FIRST = 100_000_000_000  # as many digits as the last part of a UUID has
USER_ID, CHIRP_ID = "00000000-0000-4000-8000-", "00000000-0000-4000-9000-"

SEED_USERS = f"""
    INSERT INTO users (id, email)
    SELECT ('{USER_ID}' || number)::uuid, 'user-' || number || '@bench.example'
    FROM generate_series({FIRST}, {FIRST + USERS - 1}) AS number
"""  # noqa: S608 - all of it stands above
SEED_CHIRPS = f"""
    INSERT INTO chirps (id, created_at, updated_at, body, user_id)
    SELECT
        ('{CHIRP_ID}' || number)::uuid, moment, moment,
        'Seed ' || number || ': the quick brown fox jumps over the lazy dog, and back again',
        ('{USER_ID}' || {FIRST} + (number * 7919) % {USERS})::uuid
    FROM
        generate_series({FIRST}, {FIRST + CHIRPS - 1}) AS number,
        LATERAL (SELECT now() - ({FIRST + CHIRPS} - number) * interval '1 second') AS at (moment)
"""  # noqa: S608 - as above


def seed(house: House, scene: Scene) -> None:
    """Fill the database, and let the requests speak of what is in it."""
    house.sql(SEED_USERS, SEED_CHIRPS, "VACUUM ANALYZE", "CHECKPOINT")
    scene.red = [f"{USER_ID}{number}" for number in range(FIRST, FIRST + USERS)]
    scene.chirps = [f"{CHIRP_ID}{number}" for number in range(FIRST, FIRST + CHIRPS)]
    scene.sign_up()
