-- Gives an applied withdrawal back to its account (locked by this transaction), once.
-- No row: it is not APPLIED any more.
WITH reversed AS (
    UPDATE money_operation SET outcome = 'REVERSED'
     WHERE key = $1::text AND outcome = 'APPLIED' AND kind = 'WITHDRAW'
    RETURNING key, account_id, currency, amount
), moved AS (
    UPDATE account
       SET balance = account.balance + reversed.amount, version = account.version + 1
      FROM reversed
     WHERE account.id = reversed.account_id
    RETURNING account.id, account.currency, account.balance, account.held, account.version, reversed.amount
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT key, 'REVERSE', $2::text FROM reversed
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after)
    SELECT moved.id, moved.version, posting.id, moved.currency, moved.amount, moved.balance, moved.held
      FROM moved, posting
    UNION ALL
    SELECT 'internal:fx-liquidity/' || moved.currency, posting.id, posting.id, moved.currency, -moved.amount, NULL, NULL
      FROM moved, posting
)
SELECT amount FROM moved
