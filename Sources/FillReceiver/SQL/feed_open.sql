-- The update changes nothing: it makes the statement return the row also when another receiver has just inserted it.
INSERT INTO feed (broker_id) VALUES ($1)
ON CONFLICT (broker_id) DO UPDATE SET broker_id = excluded.broker_id
RETURNING cursor, stored_sequence, last_receiver_sequence, applied_receiver_sequence
