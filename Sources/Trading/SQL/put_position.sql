-- A position over the version before it. When another transaction was faster, the version becomes 0, which the table
-- refuses: the whole transaction is undone and tried again.
insert into position (
    account_id, symbol, customer_id, qty, held_qty, cost_minor, currency, version, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (account_id, symbol) do update
set
    qty = excluded.qty,
    held_qty = excluded.held_qty,
    cost_minor = excluded.cost_minor,
    version = case when position.version = excluded.version - 1 then excluded.version else 0 end,
    updated_at = excluded.updated_at
