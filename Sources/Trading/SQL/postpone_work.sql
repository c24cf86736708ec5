-- Tries again later; $4 adds to the failures in a row.
update work_item
set due_at = $3, failures = failures + $4, claim = claim + 1, holder = null
where key = $1 and claim = $2
