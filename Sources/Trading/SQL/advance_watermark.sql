-- Moves a broker's watermark to the end of the numbers that follow it without a gap, looking $2 numbers ahead.
with ahead as (
    select i.receiver_sequence, w.receiver_sequence + row_number() over (order by i.receiver_sequence) as expected
    from execution_watermark w
    join execution_inbox i on i.broker_id = w.broker_id and i.receiver_sequence > w.receiver_sequence
    where w.broker_id = $1 and i.receiver_sequence <= w.receiver_sequence + $2
)
update execution_watermark
set receiver_sequence = greatest(
    receiver_sequence, coalesce((select max(ahead.receiver_sequence) from ahead where receiver_sequence = expected), 0))
where broker_id = $1
returning receiver_sequence
