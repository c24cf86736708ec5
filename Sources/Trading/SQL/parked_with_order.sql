-- Parked reports whose order is known by now, oldest first; each is taken by one process.
select p.broker_id, p.exec_id, p.receiver_sequence, p.client_order_id, p.event, p.traceparent, p.parked_at
from parked_execution p
where exists (select from customer_order o where o.order_id = p.client_order_id)
order by p.broker_id, p.receiver_sequence
limit $1
for update of p skip locked
