-- Sales documents alone have a kind (offer, order, invoice …), so that it tells them apart from all other records in these indexes.
ALTER TABLE record ADD COLUMN kind text GENERATED ALWAYS AS (data ->> 'kind') STORED;
CREATE INDEX record_by_kind ON record (organization_id, kind, id) WHERE kind IS NOT NULL;
CREATE INDEX record_documents ON record (organization_id, connection_id, id) WHERE kind IS NOT NULL;
-- The two columns say the same: taken for independent, a hundredth of the rows would be expected, and then all be sorted.
CREATE STATISTICS record_kinds (mcv) ON entity, kind FROM record;

-- What a contact has: jobs and documents apart, so that neither are read where the others are looked for.
DROP INDEX record_by_contact;
DROP INDEX record_by_contact_and_status;
CREATE INDEX record_by_contact ON record (organization_id, connection_id, contact_external_id, id)
    WHERE contact_external_id IS NOT NULL AND kind IS NULL;
CREATE INDEX record_by_contact_and_status ON record (organization_id, connection_id, contact_external_id, status, id)
    WHERE contact_external_id IS NOT NULL AND kind IS NULL;
CREATE INDEX record_documents_by_contact ON record (organization_id, connection_id, contact_external_id, id) WHERE kind IS NOT NULL;

CREATE INDEX conflict_by_record ON conflict (organization_id, record_id, id);
