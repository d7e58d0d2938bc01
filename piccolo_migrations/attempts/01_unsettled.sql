-- What was attempted before a refusal may have been carried out: it is looked for whenever its record is read or written
-- (app/deliveries/record_store.py).
CREATE INDEX delivery_unsettled ON delivery (organization_id, connection_id, stream, record_id)
    WHERE record_id IS NOT NULL AND status IN ('failed', 'not_applied') AND payload ? 'attempts';
