-- Executions as brokers reported them: stored before anything else happens, kept for ever, one row for each broker and
-- execution id. receiver_sequence counts a broker's rows without gaps, so that whoever applied all up to one number
-- knows that nothing is missing below it.
CREATE TABLE feed (
    broker_id text PRIMARY KEY,
    cursor text NOT NULL DEFAULT '',
    stored_sequence bigint NOT NULL DEFAULT 0 CHECK (stored_sequence >= 0),
    last_receiver_sequence bigint NOT NULL DEFAULT 0 CHECK (last_receiver_sequence >= 0),
    applied_receiver_sequence bigint NOT NULL DEFAULT 0 CHECK (applied_receiver_sequence >= 0),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (applied_receiver_sequence <= last_receiver_sequence)
);
CREATE TABLE execution (
    broker_id text NOT NULL REFERENCES feed,
    exec_id text NOT NULL CHECK (exec_id <> ''),
    receiver_sequence bigint NOT NULL,
    feed_sequence bigint NOT NULL,
    client_order_id text NOT NULL,
    report bytea NOT NULL,
    duplicates bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0,
    traceparent text,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (broker_id, exec_id),
    UNIQUE (broker_id, receiver_sequence)
);
CREATE INDEX execution_by_order ON execution (client_order_id);
-- Deliveries under a known id with other content: kept for a person to look at, applied by nobody.
CREATE TABLE execution_conflict (
    broker_id text NOT NULL,
    exec_id text NOT NULL,
    content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
    report bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (broker_id, exec_id, content_hash),
    FOREIGN KEY (broker_id, exec_id) REFERENCES execution
);
CREATE FUNCTION execution_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.broker_id, NEW.exec_id, NEW.receiver_sequence, NEW.report)
        IS DISTINCT FROM (OLD.broker_id, OLD.exec_id, OLD.receiver_sequence, OLD.report) THEN
        RAISE EXCEPTION 'executions are never changed or deleted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER execution_is_final BEFORE UPDATE OR DELETE ON execution
    FOR EACH ROW EXECUTE FUNCTION execution_is_final();
