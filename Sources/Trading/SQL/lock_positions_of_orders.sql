-- The positions that these orders change, locked in one fixed order.
select
    account_id, symbol, customer_id, qty, held_qty, cost_minor, currency, version, updated_at
from position
where (account_id, symbol) in (
    select o.account_id, o.symbol from customer_order o where o.order_id = any ($1::text[])
)
order by account_id, symbol
for update
