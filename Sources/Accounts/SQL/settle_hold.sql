-- Captures or releases part of a hold, if its account still has version $3. $5 comes out of the hold into the internal
-- account $8, $6 out of the available balance into the same, and $7 goes from the hold back to the available balance.
-- No row: the version had moved, and nothing was written. Unique violation: the key got an outcome meanwhile.
-- Every change of a hold changes its account's version too, so one compare-and-set guards both rows; the account's row
-- is always locked first.
WITH moved AS (
    UPDATE account
       SET balance = balance - $5::bigint - $6::bigint, held = held - $5::bigint - $7::bigint, version = version + 1
     WHERE id = $1::text AND version = $3::bigint
    RETURNING id, currency, balance, held, version
), settled AS (
    UPDATE hold
       SET captured = captured + $5::bigint, released = released + $7::bigint,
           remaining = remaining - $5::bigint - $7::bigint, excess = excess + $6::bigint,
           state = $4::text
      FROM moved
     WHERE hold.id = $2::text AND hold.account_id = moved.id
    RETURNING hold.id, account_id, order_id, amount, captured, released, excess, state
), operation AS (
    INSERT INTO money_operation (key, outcome, kind, body_hash, account_id, currency, amount, hold_id)
    SELECT $9::text, 'APPLIED', $10::text, $11::text, moved.id, moved.currency,
           $5::bigint + $6::bigint + $7::bigint, settled.id
      FROM moved, settled
), posting AS (
    INSERT INTO journal (operation_key, kind, purpose)
    SELECT $9::text, 'APPLY', $12::text FROM moved
    RETURNING id
), lines AS (
    INSERT INTO entry (account_id, version, journal_id, currency, amount, balance_after, held_after)
    SELECT moved.id, moved.version, posting.id, moved.currency, -$5::bigint - $6::bigint, moved.balance, moved.held
      FROM moved, posting
    UNION ALL
    SELECT $8::text || '/' || moved.currency, posting.id, posting.id, moved.currency, $5::bigint + $6::bigint,
           NULL, NULL
      FROM moved, posting
     WHERE $5::bigint + $6::bigint <> 0
)
SELECT moved.balance, moved.held, moved.version, moved.currency,
       settled.id, settled.account_id, settled.order_id, settled.amount, settled.captured, settled.released,
       settled.excess, settled.state
  FROM moved, settled
