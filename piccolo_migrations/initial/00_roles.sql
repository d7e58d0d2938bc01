-- The roles behind the walls. A deployment may have made them already (the embedded server does).

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crosswalk_app') THEN
        CREATE ROLE crosswalk_app NOLOGIN NOINHERIT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crosswalk_system') THEN
        CREATE ROLE crosswalk_system NOLOGIN;
    END IF;
    -- Without inheritance the application must step into the system role on purpose, and its policies do not leak.
    IF NOT pg_has_role('crosswalk_app', 'crosswalk_system', 'MEMBER') THEN
        IF current_setting('server_version_num')::int >= 160000 THEN
            EXECUTE 'GRANT crosswalk_system TO crosswalk_app WITH INHERIT FALSE';
        ELSE
            GRANT crosswalk_system TO crosswalk_app;
        END IF;
    END IF;
    IF pg_has_role('crosswalk_app', 'crosswalk_system', 'USAGE') THEN
        RAISE EXCEPTION 'crosswalk_app inherits from crosswalk_system; run ALTER ROLE crosswalk_app NOINHERIT as an administrator';
    END IF;
END $$;

GRANT SELECT ON migration TO crosswalk_app;
