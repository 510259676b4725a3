"""Replace receive_event: undated events count in the order of arrival, COMMIT waits for the disk"""

import runpy
from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"

# chirpy/webhooks/receive_event.sql as of this step. It replaces the function in place, so that
# servers that are running always find one.
RECEIVE_EVENT = """
CREATE OR REPLACE FUNCTION receive_event(
    event_id text,             -- the provider's id; NULL if it sent none
    made_key text,             -- the key if there is no id
    type text,
    user_id uuid,              -- NULL for other types
    occurred_at timestamptz,   -- NULL if the provider sent no time
    body text,
    fingerprint bytea          -- SHA-256 of type and data
) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    key text := coalesce(receive_event.event_id, made_key);
    key_proves_duplicate boolean :=
        receive_event.event_id IS NOT NULL OR receive_event.occurred_at IS NOT NULL;
    makes_red boolean := CASE receive_event.type
        WHEN 'user.upgraded' THEN true
        WHEN 'user.downgraded' THEN false
    END;
    row_id uuid;
    delivery_number integer;
    was_red boolean;
    changed boolean;
BEGIN
    -- COMMIT waits for the disk, also where the database, the role or a pooler says otherwise. The
    -- third argument limits this to the transaction.
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- The first unique constraint detects a duplicate. Of two concurrent deliveries, the second
    -- waits here until the first has committed or was rolled back. It writes the row again, so its
    -- COMMIT waits for disk and standby too: that of the first may not have.
    INSERT INTO webhook_events AS known
        (event_id, type, user_id, occurred_at, body, fingerprint, outcome)
    VALUES (
        key, receive_event.type, receive_event.user_id, receive_event.occurred_at,
        receive_event.body, receive_event.fingerprint,
        CASE WHEN makes_red IS NULL THEN 'ignored' ELSE 'applied' END
    )
    ON CONFLICT (provider, event_id) DO UPDATE
    SET deliveries = least(known.deliveries, 2147483646) + 1,  -- the greatest integer stays
        last_delivered_at = greatest(known.last_delivered_at, now())
    -- A row that was inserted without a fingerprint matches every event.
    WHERE coalesce(known.fingerprint, excluded.fingerprint) = excluded.fingerprint
    RETURNING id, deliveries INTO row_id, delivery_number;

    IF delivery_number IS NULL THEN
        RETURN NULL;
    ELSIF delivery_number > 1 AND key_proves_duplicate THEN
        RETURN 'duplicate';
    ELSIF makes_red IS NULL THEN
        RETURN 'ignored';
    ELSIF delivery_number > 1 THEN
        SELECT is_chirpy_red INTO was_red
        FROM memberships WHERE user_id = receive_event.user_id FOR UPDATE;
    END IF;

    -- The second unique constraint makes the order of arrival irrelevant for dated events: only a
    -- later one changes the membership. The limit is for times that a user of psql can store, such
    -- as infinity.
    INSERT INTO memberships AS membership (user_id, is_chirpy_red, as_of, event_id)
    VALUES (
        receive_event.user_id, makes_red, coalesce(receive_event.occurred_at, now()), key
    )
    ON CONFLICT (user_id) DO UPDATE
    SET is_chirpy_red = excluded.is_chirpy_red,
        as_of = CASE
            WHEN receive_event.occurred_at IS NULL THEN greatest(
                excluded.as_of,
                least(membership.as_of, '9999-12-31T00:00:00Z') + interval '1 microsecond'
            )
            ELSE excluded.as_of
        END,
        event_id = excluded.event_id
    WHERE receive_event.occurred_at IS NULL
    OR (membership.as_of, membership.event_id) < (excluded.as_of, excluded.event_id);

    changed := FOUND;
    IF changed AND delivery_number = 1 THEN
        RETURN 'applied';
    END IF;

    UPDATE webhook_events
    SET outcome = CASE WHEN changed THEN 'applied' ELSE 'stale' END
    WHERE id = row_id;
    RETURN CASE
        WHEN was_red = makes_red THEN 'duplicate'  -- was_red is NULL for a first delivery
        WHEN changed THEN 'applied'
        ELSE 'stale'
    END;
END
$$;
"""


def upgrade() -> None:
    op.execute(RECEIVE_EVENT)


def downgrade() -> None:
    old = runpy.run_path(str(Path(__file__).with_name("0009_webhook_rule.py")))
    op.execute(old["RECEIVE_EVENT"].replace("CREATE", "CREATE OR REPLACE", 1))
