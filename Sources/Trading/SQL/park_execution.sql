-- A report of an order that is not known.
insert into parked_execution (
    broker_id, exec_id, receiver_sequence, client_order_id, event, traceparent, parked_at, retries
)
values ($1, $2, $3, $4, $5, $6, $7, 0)
on conflict (broker_id, exec_id) do nothing
