CREATE TABLE IF NOT EXISTS schema_migration (
    version integer PRIMARY KEY CHECK (version >= 1),
    name text NOT NULL,
    checksum bytea NOT NULL CHECK (length(checksum) = 32),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
