-- Stored and published, and still not applied after a while: the bus may have lost them.
SELECT execution.receiver_sequence, execution.report, execution.traceparent
FROM execution JOIN feed USING (broker_id)
WHERE broker_id = $1 AND execution.receiver_sequence > feed.applied_receiver_sequence
    AND execution.received_at < clock_timestamp() - make_interval(secs => $2)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.topic = 'executions')
ORDER BY execution.receiver_sequence
LIMIT 500
