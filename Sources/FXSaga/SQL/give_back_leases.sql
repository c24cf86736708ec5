-- What drivers of this process let go can be taken over at once; a lease that somebody else has by now stays.
UPDATE exchange_lease l SET until = statement_timestamp()
FROM unnest($2::text[], $3::bigint[]) AS stopped (exchange_id, epoch)
WHERE l.exchange_id = stopped.exchange_id AND l.epoch = stopped.epoch AND l.owner = $1
    AND l.until > statement_timestamp()
