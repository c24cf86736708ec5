INSERT INTO dead_letter (event_id, topic, key, payload, traceparent, reason)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
