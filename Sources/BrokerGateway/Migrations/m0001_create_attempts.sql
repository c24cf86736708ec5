-- The gateway's only durable state: each request that is about to leave for a broker is written down first, so that a
-- crash between the write and the reply can be seen, and a person can read what was really sent.
CREATE TABLE attempt (
    broker_id text NOT NULL,
    client_order_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('NEW', 'CANCEL')),
    attempt integer NOT NULL CHECK (attempt >= 1),
    payload_hash bytea NOT NULL CHECK (length(payload_hash) = 32),
    traceparent text,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome text CHECK (outcome IN ('CONFIRMED', 'REFUSED', 'UNKNOWN', 'NOT_SENT')),
    reason text,
    ended_at timestamptz,
    PRIMARY KEY (broker_id, client_order_id, kind, attempt),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
