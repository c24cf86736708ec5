INSERT INTO exchange_key (exchange_id, body_hash, refusal) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
