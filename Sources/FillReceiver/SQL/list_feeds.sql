SELECT broker_id, cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence,
    (
        SELECT count(*) FROM outbox
        WHERE outbox.topic = 'executions' AND starts_with(outbox.event_id, feed.broker_id || '/')
    ) AS unpublished
FROM feed ORDER BY broker_id
