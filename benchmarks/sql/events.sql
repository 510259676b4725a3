-- Upgrades of all users in turn, one for each second since 2020.
INSERT INTO webhook_events
    (event_id, type, user_id, body, fingerprint, outcome, first_delivered_at, last_delivered_at)
SELECT
    'evt_' || md5(number::text), 'user.upgraded', user_id,
    json_build_object('event', 'user.upgraded', 'data', json_build_object('user_id', user_id)),
    sha256(user_id::text::bytea), 'applied', moment, moment
FROM
    generate_series(0, {last}) AS number,
    LATERAL (
        SELECT
            ('00000000-0000-4000-8000-' || 100000000000 + mod(number, 1000))::uuid,
            timestamptz '2020-01-01Z' + number * interval '1 second'
    ) AS about (user_id, moment)
