-- Numbered chirps, one for each second since 2020. The first user has ten of them, the second
-- user half of the others, and the rest is shared by all users.
-- Without checks of the foreign keys, which hold anyway, it takes half the time.
SET session_replication_role = replica;
INSERT INTO chirps (id, created_at, updated_at, body, user_id)
SELECT
    ('00000000-0000-4000-9000-' || 100000000000 + number)::uuid, moment, moment,
    'Number ' || number || ': the quick brown fox jumps over the lazy dog, and back again',
    (
        '00000000-0000-4000-8000-' || 100000000000
        + CASE WHEN number < 10 THEN 0 WHEN mod(number, 2) = 0 THEN 1 ELSE 2 + mod(number, 998) END
    )::uuid
FROM
    generate_series(0, {last}) AS number,
    LATERAL (SELECT timestamptz '2020-01-01Z' + number * interval '1 second') AS at (moment)
