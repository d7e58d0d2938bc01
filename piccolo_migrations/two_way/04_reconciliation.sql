-- What a complete scan of a stream came to: whether hub and provider have the same objects and the same values.
CREATE TABLE reconciliation (
    organization_id uuid NOT NULL,
    sync_run_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    -- objects that the scan named, and live mappings
    seen integer NOT NULL,
    mapped integer NOT NULL,
    -- at the provider without a mapping or a failed record here; mapped before the scan began and not seen by it
    missing_here integer NOT NULL,
    missing_there integer NOT NULL,
    -- said to be in step, and differing in mapped fields from what both had
    different integer NOT NULL,
    -- objects that could not be taken over
    failed integer NOT NULL,
    -- some external ids of each kind: {"missing_here": ["…"], "missing_there": […], "different": […]}
    examples jsonb NOT NULL DEFAULT '{}',
    compared_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, sync_run_id, stream),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id),
    FOREIGN KEY (organization_id, sync_run_id) REFERENCES sync_run (organization_id, id)
);
CREATE INDEX reconciliation_by_connection ON reconciliation (organization_id, connection_id, stream, sync_run_id DESC);

-- The wall: for the organization's own people only (07_walls.sql of the first schema tells why so).
CREATE POLICY organization_wall ON reconciliation TO crosswalk_app
    USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
           AND coalesce(current_setting('crosswalk.client_id', true) = '*', false));
ALTER TABLE reconciliation ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON reconciliation TO crosswalk_app;
