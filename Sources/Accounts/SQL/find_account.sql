-- One account.
SELECT id, customer_id, currency, status, balance, held, version FROM account WHERE id = $1
