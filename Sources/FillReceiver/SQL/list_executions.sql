-- Brokers number their executions apart: a page ends after all rows of its last number, or the next page would miss some.
SELECT execution.broker_id, execution.receiver_sequence, execution.report, execution.received_at,
    execution.duplicates, execution.conflicts,
    NOT EXISTS (
        SELECT 1 FROM outbox
        WHERE outbox.topic = 'executions' AND outbox.event_id = execution.broker_id || '/' || execution.exec_id
    ) AS published
FROM execution
WHERE execution.receiver_sequence > $1 AND ($3 = '' OR execution.client_order_id = $3)
ORDER BY execution.receiver_sequence
FETCH FIRST $2 ROWS WITH TIES
