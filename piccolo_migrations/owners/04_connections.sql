-- That a record's and a mapping's connection exists, and is the organization's own, is checked once in a statement by the wall and not row
-- by row by a foreign key (docs/decisions/0012-connections-behind-the-wall.md).
ALTER TABLE record DROP CONSTRAINT record_organization_id_connection_id_fkey;
ALTER TABLE mapping DROP CONSTRAINT mapping_organization_id_connection_id_fkey;
DO $$
DECLARE
    organization text := '(SELECT nullif(current_setting(''crosswalk.organization_id'', true), '''')::uuid)';
    everybody text := '(SELECT coalesce(current_setting(''crosswalk.client_id'', true) = ''*'', false))';
    own text := format('connection_id IN (SELECT id FROM connection WHERE organization_id = %s)', organization);
BEGIN
    EXECUTE format('ALTER POLICY organization_wall ON record WITH CHECK (organization_id = %s AND %s AND (connection_id IS NULL OR %s))',
                   organization, everybody, own);
    EXECUTE format('ALTER POLICY organization_wall ON mapping WITH CHECK (organization_id = %s AND %s AND %s)',
                   organization, everybody, own);
END $$;
