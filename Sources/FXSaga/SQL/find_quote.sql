SELECT buy_currency, buy_minor, sell_currency, sell_minor,
    rate_base, rate_quote, rate_mantissa, rate_scale, rate_unit, rate_id, rate_date, spread_bp, rounding_policy,
    expires_at <= statement_timestamp() AS is_expired, used_by
FROM quote
WHERE id = $1
