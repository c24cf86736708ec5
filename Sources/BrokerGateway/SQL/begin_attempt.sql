-- A repeated attempt number is the same attempt asked for again after a lost answer: its row stays, and its hash tells
-- whether the payload is still the same.
WITH other AS (
    SELECT payload_hash FROM attempt WHERE broker_id = $1 AND client_order_id = $2 AND kind = $3 LIMIT 1
), written AS (
    INSERT INTO attempt (broker_id, client_order_id, kind, attempt, payload_hash, traceparent)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (SELECT 1 FROM other WHERE payload_hash <> $5)
    ON CONFLICT DO NOTHING
    RETURNING attempt
)
SELECT EXISTS (SELECT 1 FROM other WHERE payload_hash <> $5) AS other_payload, EXISTS (SELECT 1 FROM written) AS first
