-- The first trigger let some facts of a stored execution change, and TRUNCATE pass. Now only the two counters may
-- change, and only grow; deliveries that were kept aside are as final as executions.
CREATE OR REPLACE FUNCTION execution_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.duplicates < OLD.duplicates OR NEW.conflicts < OLD.conflicts
        OR (
            NEW.broker_id, NEW.exec_id, NEW.receiver_sequence, NEW.feed_sequence, NEW.client_order_id, NEW.report,
            NEW.traceparent, NEW.received_at
        ) IS DISTINCT FROM (
            OLD.broker_id, OLD.exec_id, OLD.receiver_sequence, OLD.feed_sequence, OLD.client_order_id, OLD.report,
            OLD.traceparent, OLD.received_at
        ) THEN
        RAISE EXCEPTION 'executions are never changed or deleted';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER execution_is_never_truncated BEFORE TRUNCATE ON execution
    FOR EACH STATEMENT EXECUTE FUNCTION execution_is_final();
CREATE FUNCTION execution_conflict_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'conflicting deliveries are never changed or deleted';
END $$;
CREATE TRIGGER execution_conflict_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON execution_conflict
    FOR EACH STATEMENT EXECUTE FUNCTION execution_conflict_is_final();
