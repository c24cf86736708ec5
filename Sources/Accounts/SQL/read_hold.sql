-- What an operation on a hold must know to be decided: the hold, its account, and the stored outcome of the key, of one
-- instant. A hold that is not there yet shows the account of $3, if given. Always one row.
SELECT account.id, account.customer_id, account.currency, account.status, account.balance, account.held,
       account.version,
       operation.key, operation.outcome, operation.kind, operation.body_hash, operation.account_id,
       operation.currency, operation.amount, operation.reason,
       hold.id, hold.account_id, hold.order_id, hold.amount, hold.captured, hold.released, hold.excess,
       hold.state
  FROM (VALUES ($1::text, $2::text, $3::text)) AS asked (key, hold_id, account_id)
  LEFT JOIN hold ON hold.id = asked.hold_id
  LEFT JOIN account ON account.id = coalesce(hold.account_id, asked.account_id)
  LEFT JOIN money_operation AS operation ON operation.key = asked.key
