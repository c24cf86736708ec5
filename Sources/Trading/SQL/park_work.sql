-- Automation gives the item up; a person decides.
update work_item set parked_reason = $3, claim = claim + 1, holder = null where key = $1 and claim = $2
