-- Work that waits and work that was given up, by lane.
select lane, count(*) filter (where parked_reason is null), count(*) filter (where parked_reason is not null)
from work_item
group by lane
