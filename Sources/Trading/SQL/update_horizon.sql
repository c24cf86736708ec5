-- The position before which every change is visible.
select (pg_snapshot_xmin(pg_current_snapshot())::text::int8 << 12) - 1
