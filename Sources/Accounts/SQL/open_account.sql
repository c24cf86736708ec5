-- Opens an account; its opening balance comes from the internal account external. Unique violation: the account or
-- the key exists, and nothing was written.
WITH opened AS (
    INSERT INTO account (id, customer_id, currency, balance)
    VALUES ($1::text, $2::text, $3::text, $4::bigint)
    RETURNING id, currency, balance, version
), operation AS (
    INSERT INTO money_operation (key, outcome, kind, body_hash, account_id, currency, amount)
    SELECT $5::text, 'APPLIED', 'OPEN', $6::text, id, currency, balance FROM opened
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT $5::text, 'APPLY', 'opening balance' FROM opened
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after)
    SELECT opened.id, opened.version, posting.id, opened.currency, opened.balance, opened.balance, 0
      FROM opened, posting
    UNION ALL
    SELECT 'internal:external/' || opened.currency, posting.id, posting.id, opened.currency, -opened.balance, NULL, NULL
      FROM opened, posting
     WHERE opened.balance <> 0
)
SELECT version FROM opened
