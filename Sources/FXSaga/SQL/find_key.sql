SELECT body_hash, refusal FROM exchange_key WHERE exchange_id = $1
