UPDATE execution
SET duplicates = execution.duplicates + row.duplicates, conflicts = execution.conflicts + row.conflicts
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS row (exec_id, duplicates, conflicts)
WHERE execution.broker_id = $1 AND execution.exec_id = row.exec_id
