UPDATE feed
SET applied_receiver_sequence = least(greatest(applied_receiver_sequence, $2), last_receiver_sequence)
WHERE broker_id = $1
