-- One account, locked until the end of the transaction.
SELECT id, customer_id, currency, status, balance, held, version FROM account WHERE id = $1 FOR UPDATE
