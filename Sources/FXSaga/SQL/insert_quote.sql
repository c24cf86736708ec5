INSERT INTO quote (
    id, buy_currency, buy_minor, sell_currency, sell_minor,
    rate_base, rate_quote, rate_mantissa, rate_scale, rate_unit, rate_id, rate_date, spread_bp, rounding_policy,
    expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
    statement_timestamp() + $15 * interval '1 microsecond')
RETURNING expires_at
