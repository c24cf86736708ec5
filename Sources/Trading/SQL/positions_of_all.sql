-- Everybody's positions.
select
    account_id, symbol, customer_id, qty, held_qty, cost_minor, currency, version, updated_at
from position
order by account_id, symbol
