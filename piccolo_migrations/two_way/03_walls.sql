-- The walls around the new tables: for the organization's own people only (07_walls.sql of the first schema tells why so).

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['conflict', 'stream_policy', 'quarantine', 'field_mapping'] LOOP
        EXECUTE format($policy$
            CREATE POLICY organization_wall ON %I TO crosswalk_app
            USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
                   AND coalesce(current_setting('crosswalk.client_id', true) = '*', false))
        $policy$, name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO crosswalk_app', name);
    END LOOP;
END $$;

REVOKE DELETE ON conflict, quarantine, field_mapping FROM crosswalk_app;
-- The line before a connection is of decisions alone; writes of records are rung for apart.
GRANT SELECT (record_id) ON delivery TO crosswalk_system;
