-- Moves money between a customer's account and an internal one, if the account still has version $2, and stores the
-- outcome of the key in the same statement. No row: the version had moved, and nothing was written.
-- Unique violation: the key got an outcome meanwhile, and nothing was written.
WITH moved AS (
    UPDATE account
       SET balance = balance + $3::bigint, version = version + 1
     WHERE id = $1::text AND version = $2::bigint AND status = 'OPEN'
    RETURNING id, currency, balance, held, version
), operation AS (
    INSERT INTO money_operation (key, outcome, kind, body_hash, account_id, currency, amount)
    SELECT $5::text, 'APPLIED', $6::text, $7::text, id, currency, abs($3::bigint) FROM moved
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT $5::text, 'APPLY', $8::text FROM moved
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after)
    SELECT moved.id, moved.version, posting.id, moved.currency, $3::bigint, moved.balance, moved.held
      FROM moved, posting
    UNION ALL
    SELECT $4::text || '/' || moved.currency, posting.id, posting.id, moved.currency, -$3::bigint, NULL, NULL
      FROM moved, posting
)
SELECT balance, held, version FROM moved
