-- One attempt of a request at a time is written down, so that two with different content cannot both be the first.
SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || $2 || '/' || $3, 0))
