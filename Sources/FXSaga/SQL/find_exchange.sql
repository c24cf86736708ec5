SELECT r.exchange_id, r.customer_id, r.source_account_id, r.target_account_id, r.withdraw_key, r.deposit_key,
    r.buy_currency, r.buy_minor, r.sell_currency, r.sell_minor,
    r.rate_base, r.rate_quote, r.rate_mantissa, r.rate_scale, r.rate_unit, r.rate_id, r.rate_date, r.spread_bp,
    r.rounding_policy, r.purpose, r.traceparent, coalesce(d.checks, 0) AS checks
FROM exchange_request r LEFT JOIN exchange_due d USING (exchange_id)
WHERE r.exchange_id = $1
