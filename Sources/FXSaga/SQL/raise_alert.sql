INSERT INTO exchange_alert (exchange_id, kind, seq, detail)
SELECT exchange_id, $3, $4, $5 FROM exchange_lease WHERE exchange_id = $1 AND epoch = $2
ON CONFLICT DO NOTHING
