-- Sales documents alone have a kind (offer, order, invoice …), so that it tells them apart from all other records in these indexes.
ALTER TABLE record ADD COLUMN kind text GENERATED ALWAYS AS (data ->> 'kind') STORED;
CREATE INDEX record_by_kind ON record (organization_id, kind, id) WHERE kind IS NOT NULL;
CREATE INDEX record_documents ON record (organization_id, connection_id, id) WHERE kind IS NOT NULL;

CREATE INDEX conflict_by_record ON conflict (organization_id, record_id, id);
