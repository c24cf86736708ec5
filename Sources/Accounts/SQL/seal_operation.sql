-- Makes sure that a request with this key can never apply, unless the key has an outcome already (then no row).
-- Waits for a transaction that is just storing one.
INSERT INTO money_operation (key, outcome) VALUES ($1, 'SEALED')
ON CONFLICT (key) DO NOTHING
RETURNING key
