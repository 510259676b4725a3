-- The rule of the webhook: what one delivery does.
--
-- Types. `user.upgraded` makes its user Chirpy Red, and `user.downgraded` ends that. An event of
-- any other type is recorded and ignored.
--
-- Keys. The key of an event is the provider's id. An event without an id gets a key made of its
-- whole body. The unique constraint on (provider, event_id) keeps one row for each key.
--
-- Duplicates. An id or a time proves that a second delivery with the same key is a duplicate: it
-- has no effect. A key made of an undated body does not prove it: upgrade, downgrade, upgrade are
-- three events with two keys. So the effect runs again. Such a delivery is called a duplicate if
-- the membership already was what the event makes it.
--
-- Order. The unique constraint on memberships.user_id keeps one row for each user. Of the dated
-- events, only a later one changes it; of two with the same time, the one with the greater key
-- (compared byte by byte) is the later one. An event without a time happens when it arrives, which
-- is after all that is stored: it always changes the row, and its time is now, or a microsecond
-- after the stored time if that is later, because a clock was ahead. Arrival is in the order in
-- which the deliveries lock the row.
--
-- Meaning. A delivery is refused if its key is known with another fingerprint (of type and data).
--
-- These are all cases. A test runs each row; "any" stands for all values.
--
--   type            acts (one of the two types above), or other
--   key             id (the provider's), or made (of the body)
--   time            dated, or undated (the provider sent no time)
--   known           what webhook_events has for the key: nothing, this event, or another event
--   membership      none, or no such user; older or later than now and than a dated event; same or
--                   opposite: is red as the event makes it, or not
--   result          what the function returns, or the HTTP status of a delivery that is refused
--   webhook_events  a row is added with this outcome; or 1 is added to its deliveries, and its
--                   outcome is set if one is named
--   memberships     set to the colour, the time and the key of this event, or as before
--
--   type  | key  | time    | known   | membership   | result    | webhook_events | memberships
--   ------+------+---------+---------+--------------+-----------+----------------+------------
--   acts  | any  | any     | nothing | none         | applied   | new, applied   | set
--   acts  | any  | any     | nothing | older        | applied   | new, applied   | set
--   acts  | any  | dated   | nothing | later        | stale     | new, stale     | as before
--   acts  | any  | undated | nothing | later        | applied   | new, applied   | set
--   acts  | any  | any     | nothing | no such user | 404       | as before      | as before
--   acts  | id   | any     | this    | any          | duplicate | +1             | as before
--   acts  | made | dated   | this    | any          | duplicate | +1             | as before
--   acts  | made | undated | this    | none         | applied   | +1, applied    | set
--   acts  | made | undated | this    | opposite     | applied   | +1, applied    | set
--   acts  | made | undated | this    | same         | duplicate | +1, applied    | set
--   acts  | made | undated | this    | no such user | 404       | as before      | as before
--   other | any  | any     | nothing | any          | ignored   | new, ignored   | as before
--   other | id   | any     | this    | any          | duplicate | +1             | as before
--   other | made | dated   | this    | any          | duplicate | +1             | as before
--   other | made | undated | this    | any          | ignored   | +1             | as before
--   any   | id   | any     | another | any          | 409       | as before      | as before
--
-- The function returns NULL for the 409. The foreign key of memberships raises the error for the
-- 404, which undoes the whole statement.
--
-- Called as a statement of its own, the function is one transaction and one round trip. Postgres
-- keeps the plans of its statements for each connection.

CREATE FUNCTION receive_event(
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
