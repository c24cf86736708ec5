-- What is known for certain about an attempt is not replaced by the doubt of its repetition.
UPDATE attempt SET outcome = $5, reason = $6, ended_at = clock_timestamp()
WHERE broker_id = $1 AND client_order_id = $2 AND kind = $3 AND attempt = $4
    AND (outcome IS NULL OR outcome NOT IN ('CONFIRMED', 'REFUSED') OR $5 IN ('CONFIRMED', 'REFUSED'))
