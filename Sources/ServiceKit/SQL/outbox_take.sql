-- Rows of one key leave in the order of their ids: a second relay skips what the first has locked, so only one relay
-- publishes a database's rows at a time, guarded by the advisory lock.
WITH mine AS (
    SELECT pg_try_advisory_xact_lock(hashtextextended('meridian.outbox', 0)) AS locked
), taken AS (
    DELETE FROM outbox
    WHERE id IN (SELECT id FROM outbox WHERE (SELECT locked FROM mine) ORDER BY id LIMIT $1)
    RETURNING id, event_id, topic, key, payload, traceparent, occurred_at
)
SELECT event_id, topic, key, payload, traceparent, occurred_at FROM taken ORDER BY id
