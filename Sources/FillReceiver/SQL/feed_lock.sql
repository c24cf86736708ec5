SELECT cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence
FROM feed WHERE broker_id = $1 FOR UPDATE
