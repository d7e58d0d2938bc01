-- How many conflicts wait at a connection, and in which fields: both are on every page of the console.
CREATE INDEX conflict_waiting_at ON conflict (organization_id, connection_id) WHERE resolved_at IS NULL;
CREATE INDEX conflict_waiting_in ON conflict (organization_id, field) WHERE resolved_at IS NULL;
