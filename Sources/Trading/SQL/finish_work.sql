-- The worker with this number has done the item.
delete from work_item where key = $1 and claim = $2
