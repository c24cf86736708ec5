-- Work that a killed process had waited out its lease, although the process was back long before. Now the row says who has
-- it until due_at, and a process that comes back under its name takes up at once what it had.
alter table work_item add column holder text check (holder <> '');
