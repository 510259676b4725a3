"""Create the function receive_event, which receives a delivery in one round trip"""

from alembic import op

revision = "0007"
down_revision = "0006"

# chirpy/webhooks/receive_event.sql as of this step.
RECEIVE_EVENT = """
CREATE FUNCTION receive_event(
    event_id text,
    type text,
    user_id uuid,              -- null for a type that has no effect
    occurred_at timestamptz,   -- null if the provider sent no time
    body text,
    fingerprint bytea,         -- SHA-256 of type and data
    makes_red boolean,
    identified boolean         -- whether a second delivery with this id is a duplicate
) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    record_id uuid;
    times integer;
    was_red boolean;
    changed boolean;
BEGIN
    -- The first unique constraint detects a duplicate. Of two concurrent deliveries, the second
    -- waits here until the first has committed or was rolled back.
    INSERT INTO webhook_events AS known
        (event_id, type, user_id, occurred_at, body, fingerprint, outcome)
    VALUES (
        receive_event.event_id, receive_event.type, receive_event.user_id,
        receive_event.occurred_at, receive_event.body, receive_event.fingerprint,
        CASE WHEN receive_event.user_id IS NULL THEN 'ignored' ELSE 'applied' END
    )
    ON CONFLICT (provider, event_id) DO UPDATE
    SET deliveries = known.deliveries + 1,
        last_delivered_at = greatest(known.last_delivered_at, now())
    WHERE coalesce(known.fingerprint, excluded.fingerprint) = excluded.fingerprint
    RETURNING id, deliveries INTO record_id, times;

    IF times IS NULL THEN
        RETURN NULL;
    ELSIF times > 1 AND identified THEN
        RETURN 'duplicate';
    ELSIF receive_event.user_id IS NULL THEN
        RETURN 'ignored';
    ELSIF times > 1 THEN
        SELECT is_chirpy_red INTO was_red
        FROM memberships WHERE user_id = receive_event.user_id FOR UPDATE;
    END IF;

    -- The second unique constraint makes the order of arrival irrelevant: only a later event
    -- changes the membership. Of two with the same time, the greater id is the later one.
    INSERT INTO memberships AS membership (user_id, is_chirpy_red, as_of, event_id)
    VALUES (
        receive_event.user_id, makes_red, coalesce(receive_event.occurred_at, now()),
        receive_event.event_id
    )
    ON CONFLICT (user_id) DO UPDATE
    SET is_chirpy_red = excluded.is_chirpy_red,
        as_of = excluded.as_of,
        event_id = excluded.event_id
    WHERE (membership.as_of, membership.event_id) < (excluded.as_of, excluded.event_id);

    changed := FOUND;
    IF changed AND times = 1 THEN
        RETURN 'applied';
    END IF;

    -- A later delivery that changes nothing leaves the outcome of its event.
    UPDATE webhook_events
    SET outcome = CASE WHEN changed THEN 'applied' WHEN times = 1 THEN 'stale' ELSE outcome END
    WHERE id = record_id;
    RETURN CASE
        WHEN times > 1 AND was_red = makes_red THEN 'duplicate'
        WHEN changed THEN 'applied'
        ELSE 'stale'
    END;
END
$$;
"""


def upgrade() -> None:
    op.execute(RECEIVE_EVENT)


def downgrade() -> None:
    op.execute("DROP FUNCTION receive_event")
