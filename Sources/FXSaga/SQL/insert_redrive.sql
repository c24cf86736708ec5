INSERT INTO exchange_redrive (exchange_id, operator, reason)
SELECT exchange_id, $3, $4 FROM exchange_lease WHERE exchange_id = $1 AND epoch = $2
