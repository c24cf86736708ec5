SELECT pg_advisory_xact_lock(hashtextextended('meridian.schema_migration', 0))
