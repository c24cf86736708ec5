-- A message that was parked has found its order.
update execution_inbox set outcome = $3, detail = $4 where broker_id = $1 and exec_id = $2 and outcome = 'PARKED'
