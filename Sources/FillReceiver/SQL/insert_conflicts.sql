INSERT INTO execution_conflict (broker_id, exec_id, content_hash, report)
SELECT $1, exec_id, content_hash, report
FROM unnest($2::text[], $3::bytea[], $4::bytea[]) AS row (exec_id, content_hash, report)
ON CONFLICT DO NOTHING
