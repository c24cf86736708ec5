-- Stores a refusal for ever: a retry of the key cannot succeed later, when money has arrived.
-- No row: the key has an outcome already.
INSERT INTO money_operation (key, outcome, kind, body_hash, account_id, currency, amount, reason)
VALUES ($1, 'REFUSED', $2, $3, $4, $5, $6, $7)
ON CONFLICT (key) DO NOTHING
RETURNING key
