DELETE FROM exchange_due d USING exchange_lease l
WHERE d.exchange_id = $1 AND l.exchange_id = $1 AND l.epoch = $2
