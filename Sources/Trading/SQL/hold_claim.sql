-- Whether the worker with this number still has the item; it keeps it until the end of the transaction.
select 1::int8 from work_item where key = $1 and claim = $2 for update
