-- Parked reports, and when the oldest was parked.
select count(*), min(parked_at) from parked_execution
