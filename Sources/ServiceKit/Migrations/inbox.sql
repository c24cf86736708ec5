-- Events that took effect here: the row is written in the transaction of the effect, and kept longer than any event
-- can come again.
CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);
