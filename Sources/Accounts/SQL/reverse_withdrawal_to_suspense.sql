-- Gives an applied withdrawal back where its account cannot take it: to the internal account suspense, once, for a
-- person to settle. No row: it is not APPLIED any more.
WITH reversed AS (
    UPDATE money_operation SET outcome = 'REVERSED'
     WHERE key = $1::text AND outcome = 'APPLIED' AND kind = 'WITHDRAW'
    RETURNING key, currency, amount
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT key, 'REVERSE', $2::text FROM reversed
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount)
    SELECT internal.name || '/' || reversed.currency, posting.id, posting.id, reversed.currency,
           internal.sign * reversed.amount
      FROM reversed, posting, (VALUES ('internal:suspense', 1), ('internal:fx-liquidity', -1)) AS internal (name, sign)
)
SELECT amount FROM reversed
