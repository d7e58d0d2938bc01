-- Plans: what a run would do, or what would take a run back, item by item; applied as they are, or not at all.

-- A run syncs, makes a plan, or applies one.
ALTER TABLE sync_run ADD COLUMN task text NOT NULL DEFAULT 'sync' CHECK (task IN ('sync', 'plan', 'apply'));
ALTER TABLE sync_run ADD COLUMN plan_id uuid;
-- When a compensating plan was applied.
ALTER TABLE sync_run ADD COLUMN undone_at timestamptz;
ALTER TABLE sync_run ADD CHECK ((task = 'sync') = (plan_id IS NULL));

-- What a run replaced is found by it.
CREATE INDEX record_version_by_run ON record_version (organization_id, sync_run_id, record_id) WHERE sync_run_id IS NOT NULL;

CREATE TABLE plan (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sync', 'undo')),
    status text NOT NULL DEFAULT 'making' CHECK (status IN ('making', 'drafted', 'applying', 'applied', 'outdated', 'dismissed')),
    -- the run that makes it, the one that applies it (the last one), and the one that it takes back
    run_id uuid NOT NULL,
    applied_run_id uuid,
    undoes_run_id uuid,
    -- only items that were chosen one by one are being applied
    chosen_only boolean NOT NULL DEFAULT false,
    -- by stream: what counted when it was made {"translator", "policy", "saved"}
    terms jsonb NOT NULL DEFAULT '{}',
    -- objects that are as they should be
    unchanged integer NOT NULL DEFAULT 0,
    -- what applying all of it takes
    provider_calls integer NOT NULL DEFAULT 0,
    seconds double precision NOT NULL DEFAULT 0,
    -- what had moved when it was refused
    moved jsonb,
    requested_by text NOT NULL,
    decided_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    drafted_at timestamptz,
    decided_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX plan_by_connection ON plan (organization_id, connection_id, id DESC);
CREATE INDEX plan_of_undo ON plan (organization_id, undoes_run_id) WHERE undoes_run_id IS NOT NULL;

CREATE TABLE plan_item (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    -- the walk that it belongs to, and the stream under which its object is mapped
    stream text NOT NULL,
    record_stream text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('pull', 'push', 'undo')),
    kind text NOT NULL CHECK (kind IN ('create', 'update', 'delete', 'restore', 'conflict', 'failure', 'refresh', 'hold', 'remain')),
    -- the external id (pull), or the record's id
    key text NOT NULL,
    record_id uuid,
    -- {"email": {"before", "after"}}; of a conflict {"base", "ours", "theirs"} as well, of an undo {"before", "result", "now"}
    fields jsonb NOT NULL DEFAULT '{}',
    -- why it fails, or cannot be taken back: {"stage", "code", "message", "fix_by"}
    error jsonb,
    -- record and mapping as the plan saw them; NULL: there were none
    seen jsonb,
    -- of what it comes to, and of what the provider showed before a push
    effect bytea,
    shown bytea,
    -- the provider's object (pull), or what the record is to be (undo)
    payload bytea,
    provider_version text,
    is_deleted boolean NOT NULL DEFAULT false,
    -- left alone unless it is chosen
    is_optional boolean NOT NULL DEFAULT false,
    calls integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'chosen', 'applied')),
    -- the run that found the provider's object as the plan saw it
    checked_run_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, plan_id) REFERENCES plan (organization_id, id)
);
CREATE UNIQUE INDEX plan_item_of_object ON plan_item (organization_id, plan_id, key, stream, direction);
CREATE INDEX plan_item_in_order ON plan_item (organization_id, plan_id, stream, direction, id);

-- Child objects that came with a plan's pages and differ from those that are held.
CREATE TABLE plan_part (
    organization_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    external_id text NOT NULL,
    parent_id text NOT NULL,
    -- whose it is before the plan; NULL: it is new
    former_parent_id text,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, plan_id, external_id, stream, kind),
    FOREIGN KEY (organization_id, plan_id) REFERENCES plan (organization_id, id)
);
CREATE INDEX plan_part_by_parent ON plan_part (organization_id, plan_id, parent_id, stream);
CREATE INDEX plan_part_by_former_parent ON plan_part (organization_id, plan_id, former_parent_id, stream) WHERE former_parent_id IS NOT NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['plan', 'plan_item', 'plan_part'] LOOP
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
REVOKE DELETE ON plan FROM crosswalk_app;
