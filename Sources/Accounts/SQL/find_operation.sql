-- The stored outcome of a key.
SELECT key, outcome, kind, body_hash, account_id, currency, amount, reason FROM money_operation WHERE key = $1
