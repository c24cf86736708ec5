-- Why: a cancel that can have no effect is kept, with all that arrived, for a person to look at.
CREATE TABLE dead_letter (
    event_id    text        NOT NULL PRIMARY KEY,
    topic       text        NOT NULL,
    key         text        NOT NULL,
    payload     bytea       NOT NULL,
    traceparent text,
    reason      text        NOT NULL CHECK (char_length(reason) <= 500),
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
