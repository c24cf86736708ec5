-- Appends lines to an exchange's log, if the epoch is still the caller's, and renews, drops or ends the lease. The row
-- lock on the lease, held to the end of the transaction, orders appends and take-overs.
WITH fence AS (
    UPDATE exchange_lease
    SET owner = CASE $8 WHEN 'DRIVING' THEN owner END, is_open = $8 <> 'ENDED',
        until = statement_timestamp() + $9 * interval '1 microsecond'
    WHERE exchange_id = $1 AND owner = $2 AND epoch = $3
    RETURNING exchange_id
), lines AS (
    SELECT state, ordinality, lag(state, 1, $5::text) OVER (ORDER BY ordinality) AS previous_state
    FROM unnest($6::text[]) WITH ORDINALITY AS states (state, ordinality)
)
INSERT INTO exchange_state_log (exchange_id, seq, state, previous_state, epoch, reason, detail)
SELECT fence.exchange_id, $4 + lines.ordinality, lines.state, lines.previous_state, $3, $7, $10
FROM fence, lines
