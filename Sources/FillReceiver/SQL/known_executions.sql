SELECT exec_id, report FROM execution WHERE broker_id = $1 AND exec_id = ANY ($2::text[])
