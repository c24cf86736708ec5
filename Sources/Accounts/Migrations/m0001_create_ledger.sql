-- Why: the double-entry ledger of one currency group: accounts, their chains of entries, holds, and the outcome of
-- every operation key.

-- A customer's account. Every change of balance or held adds one to version and one row to entry, so versions are the
-- gapless numbers of the account's history and the compare-and-set on version is the fence that no lock can replace.
-- fillfactor 50: rows are updated in place (heap-only tuples), because no indexed column ever changes.
CREATE TABLE account (
    id          text        NOT NULL PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z-]{1,64}$'),
    customer_id text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 64),
    currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status      text        NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'CLOSED')),
    balance     bigint      NOT NULL,
    held        bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
    version     bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT account_available_not_negative CHECK (balance >= held),
    CONSTRAINT account_id_currency_key UNIQUE (id, currency)
) WITH (fillfactor = 50);

CREATE INDEX account_customer ON account (customer_id, id);

-- Reserved money of one order. What executions took beyond the hold, from the available balance, is excess.
CREATE TABLE hold (
    id         text        NOT NULL PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 64),
    account_id text        NOT NULL REFERENCES account (id),
    order_id   text        NOT NULL CHECK (char_length(order_id) BETWEEN 1 AND 64),
    amount     bigint      NOT NULL CHECK (amount > 0),
    captured   bigint      NOT NULL DEFAULT 0 CHECK (captured >= 0),
    released   bigint      NOT NULL DEFAULT 0 CHECK (released >= 0),
    remaining  bigint      NOT NULL CHECK (remaining >= 0),
    excess     bigint      NOT NULL DEFAULT 0 CHECK (excess >= 0),
    state      text        NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'CLOSED')),
    placed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT hold_adds_up CHECK (amount = captured + released + remaining),
    CONSTRAINT hold_closed_has_nothing_left CHECK (state = 'OPEN' OR remaining = 0),
    CONSTRAINT hold_order_key UNIQUE (order_id)
) WITH (fillfactor = 70);

-- One row for each operation key, for ever: what was asked (as a hash and as facts) and how it ended.
-- account_id has no foreign key, because the refusal of an unknown account is an outcome too; an applied operation
-- reaches its account through journal and entry, which have one.
-- SEALED: someone asked for the outcome before the request arrived; nothing is known of it and it will never apply.
CREATE TABLE money_operation (
    key        text        NOT NULL PRIMARY KEY CHECK (char_length(key) BETWEEN 1 AND 160),
    outcome    text        NOT NULL CHECK (outcome IN ('APPLIED', 'REFUSED', 'SEALED', 'REVERSED')),
    kind       text        CHECK (kind IN ('OPEN', 'HOLD', 'CAPTURE', 'RELEASE', 'WITHDRAW', 'DEPOSIT')),
    body_hash  text        CHECK (char_length(body_hash) = 32),
    account_id text        CHECK (char_length(account_id) BETWEEN 1 AND 64),
    currency   text        CHECK (currency ~ '^[A-Z]{3}$'),
    amount     bigint      CHECK (amount >= 0),
    hold_id    text        REFERENCES hold (id),
    reason     text        CHECK (reason ~ '^[A-Z_]+$'),
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT money_operation_sealed_knows_nothing CHECK (
        (outcome = 'SEALED' AND num_nonnulls(kind, body_hash, account_id, currency, amount, hold_id) = 0)
        OR (outcome <> 'SEALED' AND num_nulls(kind, body_hash, account_id, currency, amount) = 0)),
    CONSTRAINT money_operation_refused_says_why CHECK ((outcome = 'REFUSED') = (reason IS NOT NULL)),
    CONSTRAINT money_operation_only_withdrawals_are_reversed CHECK (outcome <> 'REVERSED' OR kind = 'WITHDRAW')
);

-- One posting. At most one application and one reversal for each operation key.
CREATE TABLE journal (
    id            bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation_key text        NOT NULL REFERENCES money_operation (key),
    kind          text        NOT NULL CHECK (kind IN ('APPLY', 'REVERSE')),
    purpose       text        NOT NULL CHECK (char_length(purpose) <= 200),
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT journal_operation_key_kind_key UNIQUE (operation_key, kind)
);

-- The lines of the postings; append-only.
--
-- A customer's account: version is the account's version after this line, gapless from 1; amount may be zero when only
-- held changed; balance_after and held_after are what the account row then said.
--
-- An internal account ("internal:fx-liquidity/USD") is a name only: it has no row in account, so no posting waits for another
-- one at a hot counter account, not even for a shared foreign-key lock on its row. Its lines carry the number of their
-- journal as version (unique, in order, with gaps), its balance is the sum of its lines, and the chart of these
-- accounts is the CHECK below. The trial balance stays exact, because every statement that inserts lines must sum to
-- zero for each journal and currency (trigger entry_sums_to_zero).
--
-- chained_currency is null for internal accounts, which exempts them from the foreign key (MATCH SIMPLE), and makes the
-- key of all others prove account and currency together.
CREATE TABLE entry (
    account_id       text        NOT NULL,
    version          bigint      NOT NULL CHECK (version > 0),
    journal_id       bigint      NOT NULL REFERENCES journal (id),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount           bigint      NOT NULL,
    balance_after    bigint,
    held_after       bigint,
    chained_currency text        GENERATED ALWAYS AS (CASE WHEN balance_after IS NOT NULL THEN currency END) STORED,
    at               timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, version),
    CONSTRAINT entry_account_currency_fkey FOREIGN KEY (account_id, chained_currency) REFERENCES account (id, currency),
    CONSTRAINT entry_of_customer_or_of_known_internal_account CHECK (
        (position(':' IN account_id) = 0 AND num_nulls(balance_after, held_after) = 0
            AND held_after >= 0 AND balance_after >= held_after)
        OR (split_part(account_id, '/', 1) IN (
                'internal:broker-clearing', 'internal:fees', 'internal:tax-payable', 'internal:interest',
                'internal:fx-liquidity', 'internal:suspense', 'internal:rounding', 'internal:external')
            AND split_part(account_id, '/', 2) = currency AND amount <> 0
            AND num_nonnulls(balance_after, held_after) = 0))
);

CREATE FUNCTION entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY journal_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the lines of a posting do not sum to zero'
            USING ERRCODE = 'check_violation', TABLE = 'entry', CONSTRAINT = 'entry_sums_to_zero';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entry_sums_to_zero AFTER INSERT ON entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION entry_sums_to_zero();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only; correct a posting by another posting', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$;

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
