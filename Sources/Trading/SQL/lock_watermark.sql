-- One transaction at a time advances a broker's watermark.
insert into execution_watermark (broker_id, receiver_sequence) values ($1, 0)
on conflict (broker_id) do update set receiver_sequence = execution_watermark.receiver_sequence
returning receiver_sequence
