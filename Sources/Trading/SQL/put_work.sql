-- Work to be done. What was planned under the same key is replaced, and its worker loses it.
insert into work_item (
    key, lane, kind, order_id, rank, attempt, amount_minor, currency, exec_id, due_at, traceparent, failures, claim,
    holder
)
select
    key, lane, kind, order_id, rank, attempt, amount_minor, currency, exec_id, due_at, traceparent, 0, 0, holder
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::text[], $9::text[],
    $10::int8[], $11::text[], $12::text[]
) as item (
    key, lane, kind, order_id, rank, attempt, amount_minor, currency, exec_id, due_at, traceparent, holder
)
on conflict (key) do update
set
    lane = excluded.lane,
    kind = excluded.kind,
    rank = excluded.rank,
    attempt = excluded.attempt,
    amount_minor = excluded.amount_minor,
    currency = excluded.currency,
    exec_id = excluded.exec_id,
    due_at = excluded.due_at,
    traceparent = excluded.traceparent,
    failures = 0,
    claim = work_item.claim + 1,
    parked_reason = null,
    holder = excluded.holder
