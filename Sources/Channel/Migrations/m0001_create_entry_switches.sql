-- Whether new customers of a product are let in. No row means open.
CREATE TABLE entry_switch (
    product text PRIMARY KEY CHECK (product <> ''),
    is_open boolean NOT NULL,
    message text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
