-- Records by where they stand at a stream, newest first: what waits, failed, is in conflict or is gone among many that are in step.
CREATE INDEX mapping_by_stream_and_status ON mapping (organization_id, stream, status, record_id) INCLUDE (connection_id)
    WHERE status <> 'synced';
