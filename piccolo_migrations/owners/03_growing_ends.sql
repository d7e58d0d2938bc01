-- Ids grow. An index that holds them in falling order grows at its front, where each page that fills is cut in half and never filled
-- again: twice the size, and more to write. Read backwards, a rising one gives the newest first as well.
DROP INDEX mapping_by_connection;
CREATE INDEX mapping_by_connection ON mapping (organization_id, connection_id, id) INCLUDE (stream, status);
DROP INDEX provider_call_by_connection;
CREATE INDEX provider_call_by_connection ON provider_call (organization_id, connection_id, id);
