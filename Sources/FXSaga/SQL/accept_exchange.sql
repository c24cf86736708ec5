-- Accepts an exchange, all or nothing: takes the quote, reserves the limit, writes the snapshot and the first line of the
-- log, and gives the lease to who asks. Returns no row when the quote cannot be taken or the limit does not suffice; a
-- quote that the limit forbids to use is spent all the same.
--
-- The key refuses an id that was decided on before, and it comes before the lease: a key never changes, so a repetition
-- fails at once. A repetition that met the lease first would wait for the driver with the customer's limit in its hands,
-- and the driver, about to settle the limit, would wait for the repetition.
WITH taken AS (
    UPDATE quote SET used_by = $1, used_at = statement_timestamp()
    WHERE id = $19 AND expires_at > statement_timestamp() AND used_by IS NULL
    RETURNING id
), admitted AS (
    SELECT (statement_timestamp() AT TIME ZONE 'Asia/Seoul')::date AS seoul_date
    WHERE $19::text IS NULL OR EXISTS (SELECT FROM taken)
), used AS (
    INSERT INTO limit_usage AS usage (customer_id, seoul_date, currency, done_minor, in_progress_minor)
    SELECT $3, seoul_date, $22, 0, $23 FROM admitted WHERE $23::bigint <= $24::bigint
    ON CONFLICT (customer_id, seoul_date, currency) DO UPDATE
        SET in_progress_minor = usage.in_progress_minor + excluded.in_progress_minor
        WHERE usage.done_minor + usage.in_progress_minor <= $24 - excluded.in_progress_minor
    RETURNING seoul_date
), key AS (
    INSERT INTO exchange_key (exchange_id, body_hash)
    SELECT $1, $2 FROM used
    RETURNING exchange_id
), accepted AS (
    SELECT key.exchange_id, used.seoul_date FROM key, used
), request AS (
    INSERT INTO exchange_request (
        exchange_id, customer_id, source_account_id, target_account_id,
        buy_currency, buy_minor, sell_currency, sell_minor,
        rate_base, rate_quote, rate_mantissa, rate_scale, rate_unit, rate_id, rate_date, spread_bp, rounding_policy,
        purpose, quote_id, traceparent, seoul_date)
    SELECT exchange_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $20, $19, $21, seoul_date
    FROM accepted
), reservation AS (
    INSERT INTO limit_reservation (exchange_id, customer_id, seoul_date, currency, amount_minor)
    SELECT exchange_id, $3, seoul_date, $22, $23 FROM accepted
), line AS (
    INSERT INTO exchange_state_log (exchange_id, seq, state, epoch, detail)
    SELECT exchange_id, 1, 'REQUESTED', 1, $25 FROM accepted
)
INSERT INTO exchange_lease (exchange_id, owner, epoch, until)
SELECT exchange_id, $26, 1, statement_timestamp() + $27 * interval '1 microsecond' FROM accepted
