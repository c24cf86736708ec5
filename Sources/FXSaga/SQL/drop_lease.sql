UPDATE exchange_lease SET owner = NULL WHERE exchange_id = $1 AND owner = $2 AND epoch = $3
