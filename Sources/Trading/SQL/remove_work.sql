-- Work that is done or void.
delete from work_item where key = any ($1::text[])
