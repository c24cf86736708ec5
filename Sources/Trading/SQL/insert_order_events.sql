-- Events of this transaction. Their place in the stream of updates is the transaction's number, then the place in it,
-- counted from $16.
insert into order_event (
    order_id, version, kind, detail, ord_status, cum_qty, avg_px, attempts, hold_remaining_minor, broker_order_id,
    exchange_id, reason, reason_text, customer_id, at, sequence
)
select
    order_id, version, kind, detail, ord_status, cum_qty, avg_px, attempts, hold_remaining_minor, broker_order_id,
    exchange_id, reason, reason_text, customer_id, at,
    (pg_current_xact_id()::text::int8 << 12) + $16 + place - 1
from unnest(
    $1::text[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], $8::int8[], $9::int8[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::int8[]
) with ordinality as event (
    order_id, version, kind, detail, ord_status, cum_qty, avg_px, attempts, hold_remaining_minor, broker_order_id,
    exchange_id, reason, reason_text, customer_id, at, place
)
