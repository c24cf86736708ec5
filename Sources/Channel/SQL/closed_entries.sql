SELECT product, message FROM entry_switch WHERE NOT is_open
