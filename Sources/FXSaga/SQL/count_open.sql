SELECT count(*) AS open,
    count(*) FILTER (WHERE opened_at < statement_timestamp() - $1 * interval '1 microsecond') AS overdue,
    count(*) FILTER (WHERE owner IS NULL AND NOT EXISTS (
        SELECT FROM exchange_due d WHERE d.exchange_id = l.exchange_id)) AS parked
FROM exchange_lease l
WHERE is_open
