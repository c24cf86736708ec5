-- Up to where everything of these brokers has been taken over.
select broker_id, receiver_sequence from execution_watermark where broker_id = any ($1::text[])
