-- What a withdrawal or deposit must know to be decided: the account and the stored outcome of the key, of one instant.
-- Always one row.
SELECT account.id, account.customer_id, account.currency, account.status, account.balance, account.held,
       account.version,
       operation.key, operation.outcome, operation.kind, operation.body_hash, operation.account_id,
       operation.currency, operation.amount, operation.reason
  FROM (VALUES ($1::text, $2::text)) AS asked (key, account_id)
  LEFT JOIN account ON account.id = asked.account_id
  LEFT JOIN money_operation AS operation ON operation.key = asked.key
