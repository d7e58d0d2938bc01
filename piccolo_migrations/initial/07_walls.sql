-- The two walls. The application's role owns nothing and sees rows of one organization at a time; a client's
-- contact only those of its client. crosswalk.client_id is '*' for the organization's own people; unset means no rows.
--
-- coalesce(…, false) says nothing new, but the planner takes it for true half of the time. A bare comparison with a
-- setting it takes for true in 0.5 % of all rows: expecting next to none, it read and sorted all of them for a page.

GRANT USAGE ON SCHEMA public TO crosswalk_app, crosswalk_system;

CREATE POLICY organization_wall ON organization TO crosswalk_app
    USING (id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid);

-- Seen from every scope of the organization.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organization_counter'] LOOP
        EXECUTE format($policy$
            CREATE POLICY organization_wall ON %I TO crosswalk_app
            USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid)
        $policy$, name);
    END LOOP;
END $$;

-- For the organization's own people only.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'person', 'client', 'site', 'client_contact', 'session', 'api_token', 'sign_in_link', 'mail',
        'connection', 'provider_call', 'record', 'record_version', 'mapping', 'part',
        'sync', 'sync_run', 'sync_run_stream', 'sync_page', 'stream_state', 'failed_record'
    ] LOOP
        EXECUTE format($policy$
            CREATE POLICY organization_wall ON %I TO crosswalk_app
            USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
                   AND coalesce(current_setting('crosswalk.client_id', true) = '*', false))
        $policy$, name);
    END LOOP;
END $$;

-- What a client's contact does may cause a mail (a receipt, a word to the operators); it is written, never read.
CREATE POLICY outgoing ON mail FOR INSERT TO crosswalk_app
    WITH CHECK (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
                AND nullif(current_setting('crosswalk.client_id', true), '') IS NOT NULL);

-- For the organization's own people, and for the client that a row belongs to.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'quote', 'quote_line', 'quote_version', 'quote_decision', 'delivery', 'event', 'audit_entry', 'idempotency_key'
    ] LOOP
        EXECUTE format($policy$
            CREATE POLICY organization_wall ON %I TO crosswalk_app
            USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
                   AND (coalesce(current_setting('crosswalk.client_id', true) = '*', false)
                        OR client_id = nullif(nullif(current_setting('crosswalk.client_id', true), '*'), '')::uuid))
        $policy$, name);
    END LOOP;
END $$;

DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migration' LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO crosswalk_app', name);
    END LOOP;
END $$;

-- What is written once stays.
REVOKE UPDATE, DELETE ON audit_entry, record_version, quote_version FROM crosswalk_app;
-- Which client a version is for becomes known when the client is invited.
GRANT UPDATE (client_id) ON quote_version TO crosswalk_app;
REVOKE DELETE ON organization, quote, quote_decision, connection, record, mapping FROM crosswalk_app;

-- Work that spans organizations may only list what is due, and find an organization by its address.
CREATE POLICY by_address ON organization FOR SELECT TO crosswalk_system USING (true);
CREATE POLICY due ON sync FOR SELECT TO crosswalk_system
    USING (enabled AND deleted_at IS NULL AND next_due_at IS NOT NULL);
CREATE POLICY due ON sync_run FOR SELECT TO crosswalk_system USING (status IN ('queued', 'running', 'cancelling'));
CREATE POLICY due ON delivery FOR SELECT TO crosswalk_system USING (status IN ('queued', 'sending'));
CREATE POLICY due ON mail FOR SELECT TO crosswalk_system USING (status = 'queued');
GRANT SELECT (id, slug) ON organization TO crosswalk_system;
GRANT SELECT (id, organization_id, next_due_at, enabled, deleted_at) ON sync TO crosswalk_system;
GRANT SELECT (id, organization_id, status, next_attempt_at, lease_expires_at, fence) ON sync_run TO crosswalk_system;
GRANT SELECT (id, organization_id, connection_id, status, next_attempt_at, lease_expires_at, fence) ON delivery TO crosswalk_system;
GRANT SELECT (id, organization_id, status, next_attempt_at) ON mail TO crosswalk_system;
