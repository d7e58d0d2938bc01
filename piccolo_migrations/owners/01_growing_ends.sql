-- Ids grow. An index that holds them in falling order grows at its front, where each page that fills is cut in half and never filled
-- again: twice the size, and more to write. Read backwards, a rising one gives the newest first as well.
-- What takes long comes first: while these are built others can read, but not write; everything after them takes moments.
CREATE INDEX mapping_of_connection ON mapping (organization_id, connection_id, id) INCLUDE (stream, status);
CREATE INDEX provider_call_of_connection ON provider_call (organization_id, connection_id, id);
