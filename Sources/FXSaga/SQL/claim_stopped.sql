-- Takes over exchanges whose driver has vanished, and those whose time to look again has come.
WITH vanished AS (
    SELECT exchange_id FROM exchange_lease
    WHERE owner IS NOT NULL AND until <= statement_timestamp()
    ORDER BY until
    LIMIT $3
    FOR UPDATE SKIP LOCKED
), due AS (
    SELECT l.exchange_id
    FROM exchange_due d JOIN exchange_lease l USING (exchange_id)
    WHERE d.due_at <= statement_timestamp() AND l.owner IS NULL AND l.is_open
    ORDER BY d.due_at
    LIMIT $3
    FOR UPDATE OF l SKIP LOCKED
), chosen AS (
    SELECT exchange_id FROM vanished UNION ALL SELECT exchange_id FROM due LIMIT $3
)
UPDATE exchange_lease l
SET owner = $1, epoch = l.epoch + 1, until = statement_timestamp() + $2 * interval '1 microsecond'
FROM chosen
WHERE l.exchange_id = chosen.exchange_id
RETURNING l.exchange_id, l.epoch
