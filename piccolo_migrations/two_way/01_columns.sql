-- What writing back to providers needs of tables that are there already.

-- After a merge: the record that this one became part of.
ALTER TABLE record ADD COLUMN merged_into uuid;
ALTER TABLE record ADD FOREIGN KEY (organization_id, merged_into) REFERENCES record (organization_id, id);

-- The sync run that replaced it; NULL: a person or a program did.
ALTER TABLE record_version ADD COLUMN sync_run_id uuid;

-- The sync run that made record and mapping; NULL: they were linked in another way.
ALTER TABLE mapping ADD COLUMN created_run_id uuid;
-- An orphan that was cleaned up; what is found again at the provider comes back.
ALTER TABLE mapping ADD COLUMN archived_at timestamptz;
ALTER TABLE mapping DROP CONSTRAINT mapping_status_check;
ALTER TABLE mapping ADD CHECK (status IN ('pending', 'synced', 'conflict', 'failed', 'deleted'));
COMMENT ON COLUMN mapping.base_version IS
    'the version that shows, in the mapped fields, what the provider was last seen to have: the base of the next merge';
-- What waits to be pushed, connection by connection.
CREATE INDEX mapping_waiting ON mapping (organization_id, connection_id, stream, id) WHERE status IN ('pending', 'failed', 'conflict');

ALTER TABLE sync DROP CONSTRAINT sync_direction_check;
ALTER TABLE sync ADD CHECK (direction IN ('pull', 'push', 'two_way'));
-- A sync begins up to so many seconds after its time; how many is derived from its id.
ALTER TABLE sync ADD COLUMN jitter_seconds integer NOT NULL DEFAULT 60 CHECK (jitter_seconds BETWEEN 0 AND 3600);
-- When it was due and could not be started, and why.
ALTER TABLE sync ADD COLUMN last_skipped_at timestamptz;
ALTER TABLE sync ADD COLUMN last_skipped_reason text;
ALTER TABLE sync_run DROP CONSTRAINT sync_run_direction_check;
ALTER TABLE sync_run ADD CHECK (direction IN ('pull', 'push', 'two_way'));

-- A two-way run walks a stream twice: it pulls, then it pushes.
ALTER TABLE sync_page DROP CONSTRAINT sync_page_organization_id_sync_run_id_stream_fkey;
ALTER TABLE sync_page ADD COLUMN direction text NOT NULL DEFAULT 'pull';
ALTER TABLE sync_page DROP CONSTRAINT sync_page_pkey;
ALTER TABLE sync_page ADD PRIMARY KEY (organization_id, sync_run_id, stream, direction, number);
ALTER TABLE sync_run_stream DROP CONSTRAINT sync_run_stream_pkey;
ALTER TABLE sync_run_stream ADD PRIMARY KEY (organization_id, sync_run_id, stream, direction);
ALTER TABLE sync_run_stream ADD CHECK (direction IN ('pull', 'push'));
ALTER TABLE sync_page ADD FOREIGN KEY (organization_id, sync_run_id, stream, direction)
    REFERENCES sync_run_stream (organization_id, sync_run_id, stream, direction);

ALTER TABLE failed_record DROP CONSTRAINT failed_record_stage_check;
ALTER TABLE failed_record ADD CHECK (stage IN ('read', 'assemble', 'translate', 'validate', 'store', 'project', 'push'));

-- A delivery writes a decision (quote_id) or a record (record_id, stream). Those of a push run are sent by the run.
ALTER TABLE delivery ADD COLUMN record_id uuid;
ALTER TABLE delivery ADD COLUMN stream text;
ALTER TABLE delivery ADD COLUMN sync_run_id uuid;
ALTER TABLE delivery ADD FOREIGN KEY (organization_id, record_id) REFERENCES record (organization_id, id);
-- One write of a record to a connection at a time.
CREATE UNIQUE INDEX delivery_of_record ON delivery (organization_id, record_id, connection_id, stream)
    WHERE record_id IS NOT NULL AND status IN ('queued', 'sending');
CREATE INDEX delivery_of_run ON delivery (organization_id, sync_run_id, id) WHERE sync_run_id IS NOT NULL;
