-- The accounts of one customer by id; served by index account_customer.
SELECT id, customer_id, currency, status, balance, held, version
  FROM account WHERE customer_id = $1 ORDER BY id LIMIT $2
