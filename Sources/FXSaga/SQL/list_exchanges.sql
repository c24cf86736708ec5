SELECT r.exchange_id, r.customer_id, r.source_account_id, r.target_account_id, r.withdraw_key, r.deposit_key,
    r.buy_currency, r.buy_minor, r.sell_currency, r.sell_minor,
    r.rate_base, r.rate_quote, r.rate_mantissa, r.rate_scale, r.rate_unit, r.rate_id, r.rate_date, r.spread_bp,
    r.rounding_policy, r.purpose, r.traceparent, 0 AS checks,
    r.created_at, line.state, refused.reason
FROM exchange_request r
CROSS JOIN LATERAL (
    SELECT state FROM exchange_state_log WHERE exchange_id = r.exchange_id ORDER BY seq DESC LIMIT 1) line
LEFT JOIN LATERAL (
    SELECT reason FROM exchange_state_log
    WHERE exchange_id = r.exchange_id AND reason IS NOT NULL ORDER BY seq DESC LIMIT 1) refused ON true
WHERE (r.created_at, r.exchange_id) < ($1, $2)
ORDER BY r.created_at DESC, r.exchange_id DESC
LIMIT $3
