INSERT INTO exchange_due (exchange_id, due_at, checks, detail)
SELECT exchange_id, statement_timestamp() + $3 * interval '1 microsecond', $4, $5
FROM exchange_lease WHERE exchange_id = $1 AND epoch = $2
ON CONFLICT (exchange_id) DO UPDATE
    SET due_at = excluded.due_at, checks = excluded.checks, detail = excluded.detail
