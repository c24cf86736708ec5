-- Reserves $3 on an account, if it still has version $2. No row: the version had moved, and nothing was written.
-- Unique violation: the hold or a hold of the order exists, or the key is sealed, and nothing was written.
-- The hold's id is its operation key.
WITH moved AS (
    UPDATE account
       SET held = held + $3::bigint, version = version + 1
     WHERE id = $1::text AND version = $2::bigint AND status = 'OPEN'
    RETURNING id, currency, balance, held, version
), placed AS (
    INSERT INTO hold (id, account_id, order_id, amount, remaining)
    SELECT $4::text, id, $5::text, $3::bigint, $3::bigint FROM moved
), operation AS (
    INSERT INTO money_operation (key, outcome, kind, body_hash, account_id, currency, amount, hold_id)
    SELECT $4::text, 'APPLIED', 'HOLD', $6::text, id, currency, $3::bigint, $4::text FROM moved
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT $4::text, 'APPLY', 'hold for order ' || $5::text FROM moved
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after)
    SELECT moved.id, moved.version, posting.id, moved.currency, 0, moved.balance, moved.held
      FROM moved, posting
)
SELECT balance, held, version FROM moved
