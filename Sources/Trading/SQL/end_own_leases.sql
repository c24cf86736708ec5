-- What a process of this name had before it ended is due at once.
update work_item set due_at = least(due_at, $2), claim = claim + 1, holder = null where holder = $1
