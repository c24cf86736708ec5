INSERT INTO execution (broker_id, exec_id, receiver_sequence, feed_sequence, client_order_id, report, traceparent)
SELECT $1, exec_id, receiver_sequence, feed_sequence, client_order_id, report, nullif(traceparent, '')
FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::text[])
    AS row (exec_id, receiver_sequence, feed_sequence, client_order_id, report, traceparent)
