-- Why: exchanges between two ledgers: the snapshot that decides the amounts, the append-only log that is the truth, who
-- drives and until when, when to look again, and the daily limits.
--
-- All times are the database's; amounts are minor units; epochs and sequences count from 1.

-- A rate that can be taken once, until it expires.
CREATE TABLE quote (
    id              text        NOT NULL PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 64),
    buy_currency    text        NOT NULL CHECK (buy_currency ~ '^[A-Z]{3}$'),
    buy_minor       bigint      NOT NULL CHECK (buy_minor > 0),
    sell_currency   text        NOT NULL CHECK (sell_currency ~ '^[A-Z]{3}$'),
    sell_minor      bigint      NOT NULL CHECK (sell_minor > 0),
    rate_base       text        NOT NULL CHECK (rate_base ~ '^[A-Z]{3}$'),
    rate_quote      text        NOT NULL CHECK (rate_quote ~ '^[A-Z]{3}$'),
    rate_mantissa   bigint      NOT NULL CHECK (rate_mantissa > 0),
    rate_scale      integer     NOT NULL CHECK (rate_scale BETWEEN 0 AND 9),
    rate_unit       bigint      NOT NULL CHECK (rate_unit BETWEEN 1 AND 1000),
    rate_id         text        NOT NULL CHECK (char_length(rate_id) BETWEEN 1 AND 64),
    rate_date       date        NOT NULL,
    spread_bp       integer     NOT NULL CHECK (spread_bp BETWEEN 0 AND 9999),
    rounding_policy text        NOT NULL CHECK (rounding_policy <> ''),
    issued_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
    expires_at      timestamptz NOT NULL,
    used_by         text        CONSTRAINT quote_used_by_key UNIQUE CHECK (char_length(used_by) BETWEEN 1 AND 64),
    used_at         timestamptz,
    CONSTRAINT quote_has_two_currencies CHECK (buy_currency <> sell_currency),
    CONSTRAINT quote_expires_after_issue CHECK (expires_at > issued_at),
    CONSTRAINT quote_taken_in_time CHECK (
        num_nonnulls(used_by, used_at) = 0 OR (num_nulls(used_by, used_at) = 0 AND used_at < expires_at))
);

CREATE INDEX quote_unused ON quote (expires_at) WHERE used_by IS NULL;

-- Every id that was ever decided on, for ever. A refusal is as final as an acceptance: the same request gets the same
-- answer, whatever has changed since.
CREATE TABLE exchange_key (
    exchange_id text        NOT NULL PRIMARY KEY CHECK (exchange_id ~ '^[0-9A-Za-z-]{1,64}$'),
    body_hash   text        NOT NULL CHECK (char_length(body_hash) = 32),
    refusal     text        CHECK (refusal ~ '^[A-Z_]+$'),
    at          timestamptz NOT NULL DEFAULT statement_timestamp()
);

-- What was accepted: the snapshot from which both legs follow. Never changes.
CREATE TABLE exchange_request (
    exchange_id       text        NOT NULL PRIMARY KEY REFERENCES exchange_key (exchange_id),
    customer_id       text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 64),
    source_account_id text        NOT NULL CHECK (char_length(source_account_id) BETWEEN 1 AND 64),
    target_account_id text        NOT NULL CHECK (char_length(target_account_id) BETWEEN 1 AND 64),
    withdraw_key      text        NOT NULL GENERATED ALWAYS AS (exchange_id || '/withdraw') STORED,
    deposit_key       text        NOT NULL GENERATED ALWAYS AS (exchange_id || '/deposit') STORED,
    buy_currency      text        NOT NULL CHECK (buy_currency ~ '^[A-Z]{3}$'),
    buy_minor         bigint      NOT NULL CHECK (buy_minor > 0),
    sell_currency     text        NOT NULL CHECK (sell_currency ~ '^[A-Z]{3}$'),
    sell_minor        bigint      NOT NULL CHECK (sell_minor > 0),
    rate_base         text        NOT NULL CHECK (rate_base ~ '^[A-Z]{3}$'),
    rate_quote        text        NOT NULL CHECK (rate_quote ~ '^[A-Z]{3}$'),
    rate_mantissa     bigint      NOT NULL CHECK (rate_mantissa > 0),
    rate_scale        integer     NOT NULL CHECK (rate_scale BETWEEN 0 AND 9),
    rate_unit         bigint      NOT NULL CHECK (rate_unit BETWEEN 1 AND 1000),
    rate_id           text        NOT NULL CHECK (char_length(rate_id) BETWEEN 1 AND 64),
    rate_date         date        NOT NULL,
    spread_bp         integer     NOT NULL CHECK (spread_bp BETWEEN 0 AND 9999),
    rounding_policy   text        NOT NULL CHECK (rounding_policy <> ''),
    quote_id          text        REFERENCES quote (id),
    purpose           text        NOT NULL CHECK (char_length(purpose) <= 200),
    traceparent       text        NOT NULL,
    -- The customer's date of acceptance, to which the limit is attributed.
    seoul_date        date        NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT exchange_request_has_two_currencies CHECK (buy_currency <> sell_currency),
    CONSTRAINT exchange_request_quote_id_key UNIQUE (quote_id)
);

CREATE INDEX exchange_request_newest ON exchange_request (created_at DESC, exchange_id DESC);

-- Which state may follow which: the transition table of the protocol.
CREATE TABLE exchange_transition (
    state text NOT NULL,
    next  text NOT NULL,
    PRIMARY KEY (state, next)
);

INSERT INTO exchange_transition (state, next) VALUES
    ('REQUESTED', 'WITHDRAW_REQUESTED'),
    ('WITHDRAW_REQUESTED', 'WITHDRAW_SUCCEEDED'),
    ('WITHDRAW_REQUESTED', 'WITHDRAW_REFUSED'),
    ('WITHDRAW_REQUESTED', 'WITHDRAW_UNKNOWN'),
    ('WITHDRAW_UNKNOWN', 'WITHDRAW_SUCCEEDED'),
    ('WITHDRAW_UNKNOWN', 'WITHDRAW_REFUSED'),
    ('WITHDRAW_UNKNOWN', 'PARKED'),
    ('WITHDRAW_REFUSED', 'FAILED'),
    ('WITHDRAW_SUCCEEDED', 'DEPOSIT_REQUESTED'),
    ('DEPOSIT_REQUESTED', 'DEPOSIT_SUCCEEDED'),
    ('DEPOSIT_REQUESTED', 'DEPOSIT_REFUSED'),
    ('DEPOSIT_REQUESTED', 'DEPOSIT_UNKNOWN'),
    ('DEPOSIT_UNKNOWN', 'DEPOSIT_SUCCEEDED'),
    ('DEPOSIT_UNKNOWN', 'DEPOSIT_REFUSED'),
    ('DEPOSIT_UNKNOWN', 'PARKED'),
    ('DEPOSIT_SUCCEEDED', 'COMPLETED'),
    ('DEPOSIT_REFUSED', 'CANCEL_REQUESTED'),
    ('CANCEL_REQUESTED', 'CANCELLED'),
    ('CANCEL_REQUESTED', 'PARKED'),
    ('PARKED', 'WITHDRAW_UNKNOWN'),
    ('PARKED', 'DEPOSIT_UNKNOWN'),
    ('PARKED', 'CANCEL_REQUESTED'),
    ('PARKED', 'CANCELLED');

-- Every state that an exchange went through. The keys make each log one legal path without gaps or branches: a line
-- names the line before it with its state, and the pair must be a legal transition.
CREATE TABLE exchange_state_log (
    exchange_id    text        NOT NULL REFERENCES exchange_request (exchange_id),
    seq            integer     NOT NULL CHECK (seq > 0),
    state          text        NOT NULL,
    previous_seq   integer     GENERATED ALWAYS AS (nullif(seq - 1, 0)) STORED,
    previous_state text,
    epoch          bigint      NOT NULL CHECK (epoch > 0),
    -- The stable code of a refusal.
    reason         text        CHECK (reason <> ''),
    -- The evidence, for people.
    detail         text        NOT NULL CHECK (char_length(detail) <= 500),
    at             timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT exchange_state_log_pkey PRIMARY KEY (exchange_id, seq),
    CONSTRAINT exchange_state_log_line_key UNIQUE (exchange_id, seq, state),
    CONSTRAINT exchange_state_log_begins_requested CHECK (
        (seq = 1) = (previous_state IS NULL) AND (seq > 1 OR state = 'REQUESTED')),
    CONSTRAINT exchange_state_log_follows FOREIGN KEY (exchange_id, previous_seq, previous_state)
        REFERENCES exchange_state_log (exchange_id, seq, state),
    CONSTRAINT exchange_state_log_is_legal FOREIGN KEY (previous_state, state)
        REFERENCES exchange_transition (state, next)
);

CREATE FUNCTION exchange_record_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$;

CREATE TRIGGER exchange_state_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_state_log
    FOR EACH STATEMENT EXECUTE FUNCTION exchange_record_never_changes();
CREATE TRIGGER exchange_request_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_request
    FOR EACH STATEMENT EXECUTE FUNCTION exchange_record_never_changes();
CREATE TRIGGER exchange_key_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_key
    FOR EACH STATEMENT EXECUTE FUNCTION exchange_record_never_changes();

-- Who drives an exchange, and until when nobody else may. Every append carries the epoch; a take-over adds one.
-- owner is null while nobody drives: then exchange_due says when somebody shall, unless it is parked or has ended.
CREATE TABLE exchange_lease (
    exchange_id text        NOT NULL PRIMARY KEY REFERENCES exchange_request (exchange_id),
    owner       text        CHECK (owner <> ''),
    epoch       bigint      NOT NULL CHECK (epoch > 0),
    until       timestamptz NOT NULL,
    is_open     boolean     NOT NULL DEFAULT true,
    opened_at   timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT exchange_lease_ends_with_the_exchange CHECK (is_open OR owner IS NULL)
) WITH (fillfactor = 50);

CREATE INDEX exchange_lease_driven ON exchange_lease (until) WHERE owner IS NOT NULL;
CREATE INDEX exchange_lease_open ON exchange_lease (opened_at) WHERE is_open;

-- When to look again at what could not be found out or has not been confirmed.
CREATE TABLE exchange_due (
    exchange_id text        NOT NULL PRIMARY KEY REFERENCES exchange_lease (exchange_id),
    due_at      timestamptz NOT NULL,
    -- Looks since the state was entered or re-driven.
    checks      integer     NOT NULL CHECK (checks >= 0),
    -- What the last look met.
    detail      text        NOT NULL CHECK (char_length(detail) <= 500)
);

CREATE INDEX exchange_due_at ON exchange_due (due_at);

-- How much a customer has exchanged on one date in Seoul: done and under way.
CREATE TABLE limit_usage (
    customer_id       text   NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 64),
    seoul_date        date   NOT NULL,
    currency          text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    done_minor        bigint NOT NULL CHECK (done_minor >= 0),
    in_progress_minor bigint NOT NULL CHECK (in_progress_minor >= 0),
    PRIMARY KEY (customer_id, seoul_date, currency)
) WITH (fillfactor = 70);

-- One exchange's part of limit_usage.
CREATE TABLE limit_reservation (
    exchange_id  text   NOT NULL PRIMARY KEY REFERENCES exchange_request (exchange_id),
    customer_id  text   NOT NULL,
    seoul_date   date   NOT NULL,
    currency     text   NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state        text   NOT NULL DEFAULT 'IN_PROGRESS' CHECK (state IN ('IN_PROGRESS', 'DONE', 'RELEASED')),
    CONSTRAINT limit_reservation_usage_fkey FOREIGN KEY (customer_id, seoul_date, currency)
        REFERENCES limit_usage (customer_id, seoul_date, currency)
);

-- What a person has to see. seq is the log's line that it is about, 0 for the exchange as a whole.
CREATE TABLE exchange_alert (
    exchange_id text        NOT NULL REFERENCES exchange_request (exchange_id),
    kind        text        NOT NULL CHECK (kind IN ('OVERDUE', 'PARKED', 'CONTRADICTION')),
    seq         integer     NOT NULL CHECK (seq >= 0),
    detail      text        NOT NULL CHECK (char_length(detail) <= 500),
    at          timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (exchange_id, kind, seq)
);

-- Who gave a parked exchange back to automation, and why.
CREATE TABLE exchange_redrive (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    exchange_id text        NOT NULL REFERENCES exchange_request (exchange_id),
    operator    text        NOT NULL CHECK (char_length(operator) BETWEEN 1 AND 64),
    reason      text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
    at          timestamptz NOT NULL DEFAULT statement_timestamp()
);

CREATE TRIGGER exchange_redrive_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_redrive
    FOR EACH STATEMENT EXECUTE FUNCTION exchange_record_never_changes();

-- Messages that can never have an effect, with all that arrived, for a person.
CREATE TABLE dead_letter (
    event_id    text        NOT NULL PRIMARY KEY,
    topic       text        NOT NULL,
    key         text        NOT NULL,
    payload     bytea       NOT NULL,
    traceparent text        NOT NULL,
    reason      text        NOT NULL CHECK (char_length(reason) <= 500),
    at          timestamptz NOT NULL DEFAULT statement_timestamp()
);
