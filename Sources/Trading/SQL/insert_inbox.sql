-- Consumed messages; a second consumer of the same message fails here.
insert into execution_inbox (
    broker_id, receiver_sequence, exec_id, client_order_id, outcome, detail, consumed_at
)
select * from unnest(
    $1::text[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[]
)
