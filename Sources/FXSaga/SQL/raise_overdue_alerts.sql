INSERT INTO exchange_alert (exchange_id, kind, seq, detail)
SELECT l.exchange_id, 'OVERDUE', 0, 'open since ' || to_char(l.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM exchange_lease l
WHERE l.is_open AND l.opened_at < statement_timestamp() - $1 * interval '1 microsecond'
    AND NOT EXISTS (
        SELECT FROM exchange_alert a WHERE a.exchange_id = l.exchange_id AND a.kind = 'OVERDUE' AND a.seq = 0)
ORDER BY l.opened_at
LIMIT $2
ON CONFLICT DO NOTHING
RETURNING exchange_id, detail
