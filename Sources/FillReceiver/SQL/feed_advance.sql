UPDATE feed
SET cursor = $2, stored_sequence = $3, last_receiver_sequence = $4, updated_at = clock_timestamp()
WHERE broker_id = $1
