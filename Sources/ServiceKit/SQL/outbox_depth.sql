SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at))::bigint, 0) FROM outbox
