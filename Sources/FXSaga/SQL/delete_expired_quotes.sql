DELETE FROM quote
WHERE id IN (
    SELECT id FROM quote
    WHERE used_by IS NULL AND expires_at < statement_timestamp() - $1 * interval '1 microsecond'
    ORDER BY expires_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED)
