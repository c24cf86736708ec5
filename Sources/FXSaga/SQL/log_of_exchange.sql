SELECT seq, state, epoch, reason, detail, at FROM exchange_state_log WHERE exchange_id = $1 ORDER BY seq
