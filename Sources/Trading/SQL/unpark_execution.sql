-- A parked report was applied.
delete from parked_execution where broker_id = $1 and exec_id = $2
