-- An order's story, oldest first; $2 limits it to the orders of one customer.
select e.version, e.kind, e.detail, e.ord_status, e.at
from order_event e
where e.order_id = $1 and ($2::text is null or e.customer_id = $2)
order by e.version
