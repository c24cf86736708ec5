-- The internal accounts, each with the sum of its lines. Reads every entry: for audits, not for traffic.
SELECT account_id, currency, sum(amount)::bigint
  FROM entry WHERE balance_after IS NULL
 GROUP BY account_id, currency ORDER BY account_id
