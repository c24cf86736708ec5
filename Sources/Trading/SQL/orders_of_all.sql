-- A page of everybody's orders, newest first, older than the order $1.
select
    order_id, customer_id, client_order_id, fingerprint, account_id, funding_account_id, broker_id, symbol,
    currency, side, ord_type, price, time_in_force, order_qty, session_ends_at, lifecycle, closing, needs_review,
    reason, reason_text, submission, planned_step, planned_at, attempts, unsent_attempts, first_sent_at,
    last_sent_at, unknown_since, probes, misses, is_sealed, broker_order_id, cancellation, cancel_attempts,
    cancel_reason, execution_reports, cum_qty, avg_px, broker_cum_qty, pending_closing, pending_cum_qty, hold_minor,
    hold_id, hold_doubtful, hold_remaining_minor, shares_held, exchange_id, exchange_minor, is_funded, ord_status,
    version, traceparent, created_at, updated_at
from customer_order
where $1::text is null or order_id < $1
order by order_id desc
limit $2
