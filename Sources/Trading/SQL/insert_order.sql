-- A new order. Unique violation of customer_order_client_key: the customer's id of it is taken.
insert into customer_order (
    order_id, customer_id, client_order_id, fingerprint, account_id, funding_account_id, broker_id, symbol,
    currency, side, ord_type, price, time_in_force, order_qty, session_ends_at, lifecycle, closing, needs_review,
    reason, reason_text, submission, planned_step, planned_at, attempts, unsent_attempts, first_sent_at,
    last_sent_at, unknown_since, probes, misses, is_sealed, broker_order_id, cancellation, cancel_attempts,
    cancel_reason, execution_reports, cum_qty, avg_px, broker_cum_qty, pending_closing, pending_cum_qty, hold_minor,
    hold_id, hold_doubtful, hold_remaining_minor, shares_held, exchange_id, exchange_minor, is_funded, ord_status,
    version, traceparent, created_at, updated_at
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46,
    $47, $48, $49, $50, $51, $52, $53, $54
)
