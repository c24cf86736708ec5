-- Reports that were booked in this transaction.
insert into execution_applied (
    broker_id, exec_id, order_id, ordinal, kind, exec_ref_id, qty, px, fee_minor, broker_cum_qty, trade_date,
    transact_time, receiver_sequence, applied_at
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::text[], $7::int8[], $8::int8[], $9::int8[],
    $10::int8[], $11::text[], $12::int8[], $13::int8[], $14::int8[]
)
