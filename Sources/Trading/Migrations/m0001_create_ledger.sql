-- The overseas ledger: orders with their three axes, their story, executions, positions, and the work that is still to
-- be done toward other services.
--
-- Quantities are nano-shares (scale 9), prices have scale 4, amounts are minor units of the order's currency, instants
-- are nanoseconds since 1970-01-01T00:00:00Z by the service's clock (the state machine compares them exactly).

create table customer_order (
    order_id text primary key check (length(order_id) between 1 and 36),
    customer_id text not null check (customer_id <> ''),
    client_order_id text not null check (length(client_order_id) between 1 and 36),
    -- Over every term of the request: the same client order id with another fingerprint is another request.
    fingerprint text not null check (length(fingerprint) = 32),

    -- The terms: never change.
    account_id text not null check (account_id <> ''),
    -- Pays for a shortfall; null means no automatic exchange.
    funding_account_id text check (funding_account_id <> ''),
    broker_id text not null check (broker_id <> ''),
    symbol text not null check (symbol <> ''),
    currency text not null check (length(currency) = 3),
    side text not null check (side in ('BUY', 'SELL')),
    ord_type text not null check (ord_type in ('MARKET', 'LIMIT')),
    price bigint check (price > 0),
    time_in_force text not null check (time_in_force in ('DAY', 'GTC', 'IOC', 'FOK')),
    order_qty bigint not null check (order_qty > 0),
    -- When the session ends for which it was entered; null when it does not end with a session.
    session_ends_at bigint,

    -- Axis A: our own record of its life.
    lifecycle text not null check (lifecycle in ('RECEIVED', 'HELD', 'QUEUED', 'WORKING', 'CLOSED', 'DENIED')),
    closing text check (closing in ('FILLED', 'CANCELED', 'REJECTED', 'EXPIRED')),
    needs_review boolean not null,
    reason text,
    reason_text text not null,

    -- Axis B: the requests in flight.
    submission text not null check (submission in ('READY', 'SENT', 'UNKNOWN', 'CONFIRMED', 'REFUSED')),
    planned_step text check (planned_step in ('PROBE', 'RESEND', 'CONCLUDE', 'REVIEW')),
    planned_at bigint,
    attempts bigint not null check (attempts >= 0),
    unsent_attempts bigint not null check (unsent_attempts between 0 and attempts),
    first_sent_at bigint,
    last_sent_at bigint,
    unknown_since bigint,
    probes bigint not null check (probes >= 0),
    misses bigint not null check (misses between 0 and probes),
    is_sealed boolean not null,
    broker_order_id text check (broker_order_id <> ''),
    cancellation text not null
        check (cancellation in ('NONE', 'WANTED', 'SENT', 'UNKNOWN', 'CONFIRMED', 'REFUSED')),
    cancel_attempts bigint not null check (cancel_attempts >= 0),
    cancel_reason text,

    -- Axis C: sums of the executions, kept for queries; the executions themselves are the truth.
    execution_reports bigint not null check (execution_reports >= 0),
    cum_qty bigint not null check (cum_qty >= 0),
    avg_px bigint check (avg_px > 0),
    broker_cum_qty bigint not null check (broker_cum_qty >= 0),
    pending_closing text check (pending_closing in ('FILLED', 'CANCELED', 'REJECTED', 'EXPIRED')),
    pending_cum_qty bigint,

    -- Money and shares that are set aside.
    hold_minor bigint check (hold_minor > 0),
    hold_id text check (hold_id <> ''),
    -- Whether a request to hold money ended without a known outcome: an order that ends then undoes it first.
    hold_doubtful boolean not null,
    hold_remaining_minor bigint check (hold_remaining_minor >= 0),
    shares_held bigint not null check (shares_held >= 0),
    exchange_id text check (exchange_id <> ''),
    exchange_minor bigint check (exchange_minor > 0),
    -- Whether the exchange has brought the money.
    is_funded boolean not null,

    -- OrdStatus (39), derived from the axes.
    ord_status text not null check (ord_status in (
        'PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'FILLED', 'PENDING_CANCEL', 'CANCELED', 'REJECTED', 'EXPIRED',
        'DENIED', 'UNCONFIRMED', 'NEEDS_REVIEW')),
    -- Counts the recorded events; every update names the version that it replaces.
    version bigint not null check (version >= 1),
    traceparent text not null,
    created_at bigint not null,
    updated_at bigint not null,

    constraint customer_order_client_key unique (customer_id, client_order_id),
    check ((ord_type = 'LIMIT') = (price is not null)),
    check ((lifecycle = 'CLOSED') = (closing is not null)),
    check ((submission = 'UNKNOWN') = (planned_step is not null)),
    check ((planned_step in ('PROBE', 'RESEND')) = (planned_at is not null)),
    check ((pending_closing is null) = (pending_cum_qty is null)),
    check ((exchange_id is null) = (exchange_minor is null)),
    check (not is_funded or exchange_id is not null),
    check (side = 'BUY' or hold_minor is null)
) with (fillfactor = 60);

-- A customer's orders, newest first: order ids sort by time.
create index customer_order_by_customer on customer_order (customer_id, order_id desc);
-- What still lives, for audits and for the gauges.
create index customer_order_alive on customer_order (ord_status) where lifecycle not in ('CLOSED', 'DENIED');

-- Everything that happened to an order, with what the order looked like after it.
create table order_event (
    order_id text not null references customer_order,
    version bigint not null check (version >= 1),
    kind text not null check (kind <> ''),
    detail text not null,
    ord_status text not null,
    cum_qty bigint not null,
    avg_px bigint,
    attempts bigint not null,
    hold_remaining_minor bigint,
    broker_order_id text,
    exchange_id text,
    reason text,
    reason_text text not null,
    customer_id text not null,
    at bigint not null,
    -- Position in the stream of updates: the number of the transaction, then the place within it. Identity numbers
    -- would become visible out of order; these are read only below the oldest running transaction.
    sequence bigint not null unique,
    primary key (order_id, version)
);

create index order_event_by_customer on order_event (customer_id, sequence);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger order_event_is_append_only before update or delete or truncate on order_event
    for each statement execute function refuse_change();

-- Every report about executions that took effect, once; busts and corrections refer to an earlier one.
create table execution_applied (
    broker_id text not null,
    exec_id text not null check (exec_id <> ''),
    order_id text not null references customer_order,
    -- Place among the order's reports, in the order in which they were booked.
    ordinal bigint not null check (ordinal >= 1),
    kind text not null check (kind in ('TRADE', 'BUST', 'CORRECTION')),
    exec_ref_id text,
    qty bigint not null check (qty >= 0),
    px bigint not null check (px >= 0),
    fee_minor bigint not null,
    broker_cum_qty bigint,
    trade_date text not null,
    transact_time bigint not null,
    receiver_sequence bigint not null,
    applied_at bigint not null,
    primary key (broker_id, exec_id),
    unique (order_id, ordinal),
    check (kind = 'BUST' or (qty > 0 and px > 0)),
    check ((kind = 'TRADE') = (exec_ref_id is null))
);

create trigger execution_applied_is_append_only before update or delete or truncate on execution_applied
    for each statement execute function refuse_change();

-- Shares of one symbol in one account. Negative only where a bust took back shares that were sold since.
create table position (
    account_id text not null,
    symbol text not null,
    customer_id text not null,
    qty bigint not null,
    -- Set aside for open sell orders.
    held_qty bigint not null check (held_qty >= 0),
    cost_minor bigint not null,
    currency text not null,
    version bigint not null constraint position_has_one_writer check (version >= 1),
    updated_at bigint not null,
    primary key (account_id, symbol)
) with (fillfactor = 60);

create index position_by_customer on position (customer_id, account_id, symbol);

-- What is still to be done toward brokers and accounts. A row lives until its work is done; nothing is forgotten by a
-- crash, since the lease of a worker that died runs out.
create table work_item (
    -- One row for each piece of work, for example "<order>/broker" or the key of a money operation.
    key text primary key,
    -- Brokers and accounts have pools of their own: one that hangs cannot stop the other.
    lane text not null check (lane in ('BROKER', 'ACCOUNT')),
    kind text not null check (kind in (
        'SUBMIT', 'PROBE', 'CANCEL', 'OVERDUE', 'RECEIVE', 'CAPTURE', 'CREDIT', 'DEBIT', 'RELEASE')),
    order_id text not null references customer_order,
    -- Work of one order in the account lane runs in this order: captures before the release.
    rank bigint not null,
    attempt bigint not null,
    amount_minor bigint,
    currency text,
    exec_id text,
    -- When it may be taken. Taking it moves this past the worker's lease.
    due_at bigint not null,
    -- Failures in a row; the delay grows with them.
    failures bigint not null check (failures >= 0),
    -- Counts every taking and every change: a worker whose number is old has lost the item.
    claim bigint not null,
    -- Set when automation has given up; a person decides.
    parked_reason text,
    traceparent text not null
) with (fillfactor = 60);

create index work_item_due on work_item (lane, due_at) where parked_reason is null;
create index work_item_by_order on work_item (order_id, lane, rank);

-- Consumed messages of the bus: the row and the effect commit together.
create table execution_inbox (
    broker_id text not null,
    receiver_sequence bigint not null check (receiver_sequence >= 1),
    exec_id text not null,
    client_order_id text not null,
    outcome text not null check (outcome in ('APPLIED', 'PARKED', 'DUPLICATE', 'REFUSED')),
    detail text not null,
    consumed_at bigint not null,
    primary key (broker_id, receiver_sequence)
);

-- Reports of orders that we do not know (yet), as they came.
create table parked_execution (
    broker_id text not null,
    exec_id text not null,
    receiver_sequence bigint not null,
    client_order_id text not null,
    event bytea not null,
    traceparent text not null,
    parked_at bigint not null,
    retries bigint not null,
    primary key (broker_id, exec_id)
);

create index parked_execution_by_order on parked_execution (client_order_id);

-- Up to where every execution of a broker has been taken over, without gaps.
create table execution_watermark (
    broker_id text primary key,
    receiver_sequence bigint not null check (receiver_sequence >= 0)
);
