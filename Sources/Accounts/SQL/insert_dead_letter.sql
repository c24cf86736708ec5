-- Keeps an event that can have no effect; the first reason stays.
INSERT INTO dead_letter (event_id, topic, key, payload, traceparent, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (event_id) DO NOTHING
