WITH opened AS (
    INSERT INTO feed (broker_id) VALUES ($1) ON CONFLICT DO NOTHING
    RETURNING cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence
)
SELECT * FROM opened
UNION ALL
SELECT cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence FROM feed WHERE broker_id = $1
LIMIT 1
