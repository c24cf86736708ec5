SELECT broker_id, cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence,
    (SELECT count(*) FROM outbox WHERE topic = 'executions') AS unpublished
FROM feed ORDER BY broker_id
