-- The books of this ledger at one instant, one row for each currency. Reads every entry: for audits, not for traffic.
WITH currency AS (
    SELECT currency FROM account UNION SELECT currency FROM entry
), totals AS (
    SELECT currency, sum(amount) AS sum_of_entries, count(*) AS entries FROM entry GROUP BY currency
), chained AS (
    -- Each line against the line before it: versions without gap, balances that follow from the amounts.
    SELECT account_id,
           version = lag(version, 1, 0::bigint) OVER chain + 1
           AND balance_after = lag(balance_after, 1, 0::bigint) OVER chain + amount AS fits
      FROM entry WHERE balance_after IS NOT NULL
    WINDOW chain AS (PARTITION BY account_id ORDER BY version)
), history AS (
    SELECT account_id, bool_and(fits) AS fits, count(*) AS version FROM chained GROUP BY account_id
), reserved AS (
    SELECT account_id, sum(remaining) AS remaining FROM hold GROUP BY account_id
), stepped AS (
    SELECT account.currency,
           coalesce(history.fits AND history.version = account.version
                    AND last.balance_after = account.balance AND last.held_after = account.held
                    AND account.held = coalesce(reserved.remaining, 0), false) AS in_step
      FROM account
      LEFT JOIN history ON history.account_id = account.id
      LEFT JOIN entry AS last ON last.account_id = account.id AND last.version = account.version
      LEFT JOIN reserved ON reserved.account_id = account.id
), accounts AS (
    SELECT currency, count(*) FILTER (WHERE NOT in_step) AS out_of_step FROM stepped GROUP BY currency
), settled AS (
    SELECT hold_id,
           sum(amount) FILTER (WHERE kind = 'CAPTURE') AS captured,
           sum(amount) FILTER (WHERE kind = 'RELEASE') AS released
      FROM money_operation WHERE hold_id IS NOT NULL AND outcome = 'APPLIED' GROUP BY hold_id
), holds AS (
    SELECT account.currency, sum(hold.remaining) AS remaining,
           count(*) FILTER (
               WHERE hold.amount <> hold.captured + hold.released + hold.remaining
                  OR hold.captured + hold.excess <> coalesce(settled.captured, 0)
                  OR hold.released <> coalesce(settled.released, 0)) AS out_of_step
      FROM hold
      JOIN account ON account.id = hold.account_id
      LEFT JOIN settled ON settled.hold_id = hold.id
     GROUP BY account.currency
)
SELECT currency.currency,
       coalesce(totals.sum_of_entries, 0)::bigint,
       coalesce(accounts.out_of_step, 0)::bigint,
       coalesce(holds.remaining, 0)::bigint,
       coalesce(holds.out_of_step, 0)::bigint,
       coalesce(totals.entries, 0)::bigint
  FROM currency
  LEFT JOIN totals ON totals.currency = currency.currency
  LEFT JOIN accounts ON accounts.currency = currency.currency
  LEFT JOIN holds ON holds.currency = currency.currency
 ORDER BY currency.currency
