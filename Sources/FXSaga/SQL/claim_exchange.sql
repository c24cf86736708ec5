-- Takes one exchange over from whoever has it, for an event or a person. The old owner's next append is refused.
UPDATE exchange_lease
SET owner = $2, epoch = epoch + 1, until = statement_timestamp() + $3 * interval '1 microsecond'
WHERE exchange_id = $1 AND is_open
RETURNING exchange_id, epoch
