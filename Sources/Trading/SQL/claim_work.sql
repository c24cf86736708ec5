-- Takes due work of a lane: it is due again when the worker's lease ends. Work in the account lane waits for what has a
-- lower rank in the same order.
with due as (
    select w.key
    from work_item w
    where w.lane = $1 and w.parked_reason is null and w.due_at <= $2
        and not exists (
            select from work_item earlier
            where w.lane = 'ACCOUNT' and earlier.order_id = w.order_id and earlier.lane = 'ACCOUNT'
                and earlier.rank < w.rank
        )
    order by w.due_at
    limit $4
    for update of w skip locked
)
update work_item w
set due_at = $3, claim = w.claim + 1, holder = $5
from due
where w.key = due.key
returning
    w.key, w.kind, w.order_id, w.attempt, w.amount_minor, w.currency, w.exec_id, w.due_at, w.traceparent, w.failures,
    w.claim
