-- Changes of a customer's orders after $2 and up to $3, which the reader of all changes has reached.
select
    e.sequence, e.order_id, e.version, e.kind, e.detail, e.ord_status, e.cum_qty, e.avg_px, e.attempts,
    e.hold_remaining_minor, e.broker_order_id, e.exchange_id, e.reason, e.reason_text, e.customer_id, e.at,
    o.client_order_id, o.account_id, o.symbol, o.currency, o.side, o.ord_type, o.price, o.time_in_force,
    o.order_qty, o.created_at
from order_event e
join customer_order o on o.order_id = e.order_id
where e.customer_id = $1 and e.sequence > $2 and e.sequence <= $3
order by e.sequence
limit $4
