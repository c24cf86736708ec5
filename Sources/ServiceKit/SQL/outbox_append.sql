INSERT INTO outbox (event_id, topic, key, payload, traceparent)
SELECT event_id, topic, key, payload, traceparent
FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[])
    WITH ORDINALITY AS event (event_id, topic, key, payload, traceparent, position)
ORDER BY position
