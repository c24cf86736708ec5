-- Which of these messages have not been consumed: the broker's numbers that are free in the inbox.
select message.broker_id, message.receiver_sequence
from unnest($1::text[], $2::int8[]) as message (broker_id, receiver_sequence)
where not exists (
    select from execution_inbox i
    where i.broker_id = message.broker_id and i.receiver_sequence = message.receiver_sequence
)
