-- What a process of this name drove before it ended can be taken over at once.
UPDATE exchange_lease SET until = statement_timestamp() WHERE owner = $1 AND until > statement_timestamp()
