UPDATE attempt SET outcome = $5, reason = $6, ended_at = clock_timestamp()
WHERE broker_id = $1 AND client_order_id = $2 AND kind = $3 AND attempt = $4
