-- The booked reports of these orders, in the order of booking.
select
    e.broker_id, e.exec_id, e.order_id, e.ordinal, e.kind, e.exec_ref_id, e.qty, e.px, e.fee_minor, e.broker_cum_qty,
    e.trade_date, e.transact_time, e.receiver_sequence, e.applied_at, o.currency
from execution_applied e
join customer_order o on o.order_id = e.order_id
where e.order_id = any ($1::text[])
order by e.order_id, e.ordinal
