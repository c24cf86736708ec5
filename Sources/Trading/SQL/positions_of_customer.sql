-- A customer's positions.
select
    account_id, symbol, customer_id, qty, held_qty, cost_minor, currency, version, updated_at
from position
where customer_id = $1
order by account_id, symbol
