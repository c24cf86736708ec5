-- One hold, with its account's currency.
SELECT account.currency, hold.id, hold.account_id, hold.order_id, hold.amount, hold.captured, hold.released,
       hold.excess, hold.state
  FROM hold JOIN account ON account.id = hold.account_id
 WHERE hold.id = $1
