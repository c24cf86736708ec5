-- Counts a reservation as done, or gives it back, once.
WITH settled AS (
    UPDATE limit_reservation r SET state = $3
    FROM exchange_lease l
    WHERE r.exchange_id = $1 AND r.state = 'IN_PROGRESS' AND l.exchange_id = $1 AND l.epoch = $2
    RETURNING r.customer_id, r.seoul_date, r.currency, r.amount_minor
)
UPDATE limit_usage u
SET in_progress_minor = u.in_progress_minor - s.amount_minor,
    done_minor = u.done_minor + CASE $3 WHEN 'DONE' THEN s.amount_minor ELSE 0 END
FROM settled s
WHERE u.customer_id = s.customer_id AND u.seoul_date = s.seoul_date AND u.currency = s.currency
