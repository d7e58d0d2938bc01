-- Syncs (standing wishes), sync runs (attempts) with their streams and pages, and each stream's saved state.

CREATE TABLE sync (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    name text NOT NULL,
    streams text[] NOT NULL,
    direction text NOT NULL DEFAULT 'pull' CHECK (direction IN ('pull', 'push')),
    -- a full walk compares everything (reconciliation); an incremental one asks for changes
    mode text NOT NULL DEFAULT 'incremental' CHECK (mode IN ('incremental', 'full')),
    -- five-field cron in `time_zone`; NULL is on demand
    schedule text,
    time_zone text NOT NULL DEFAULT 'UTC',
    next_due_at timestamptz,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX sync_by_connection ON sync (organization_id, connection_id, id);
CREATE INDEX sync_due ON sync (next_due_at) WHERE enabled AND deleted_at IS NULL AND next_due_at IS NOT NULL;

CREATE TABLE sync_run (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    sync_id uuid,
    direction text NOT NULL DEFAULT 'pull' CHECK (direction IN ('pull', 'push')),
    mode text NOT NULL DEFAULT 'incremental' CHECK (mode IN ('incremental', 'full')),
    -- narrows the run, e.g. {"contact_external_id": "…"}; a narrowed run never moves a watermark
    narrowed_to jsonb,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN
        ('queued', 'running', 'cancelling', 'completed', 'partially_completed', 'failed', 'cancelled')),
    requested_by jsonb NOT NULL,
    -- taken under this row's lock with every change that a subscriber may see
    revision bigint NOT NULL DEFAULT 1,
    progress numeric(5, 2) NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    message text NOT NULL DEFAULT '',
    error_code text,
    error_message text,
    fix_by text,
    -- the lease: who holds `fence` may write until the lease expires; every commit checks it
    fence integer NOT NULL DEFAULT 0,
    lease_expires_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    cancel_requested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id),
    FOREIGN KEY (organization_id, sync_id) REFERENCES sync (organization_id, id)
);
CREATE INDEX sync_run_by_connection ON sync_run (organization_id, connection_id, id DESC);
CREATE INDEX sync_run_by_status ON sync_run (organization_id, status, id DESC);
CREATE INDEX sync_run_due ON sync_run (next_attempt_at) WHERE status IN ('queued', 'running', 'cancelling');

CREATE TABLE sync_run_stream (
    organization_id uuid NOT NULL,
    sync_run_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    -- the stream under which records are mapped: a narrowed view shares its parent's
    lock_stream text NOT NULL,
    direction text NOT NULL,
    position integer NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    -- law 1: while true, no other run may have this connection, stream and direction
    active boolean NOT NULL DEFAULT true,
    state jsonb,
    pages integer NOT NULL DEFAULT 0,
    expected integer,
    read integer NOT NULL DEFAULT 0,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    deleted integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, sync_run_id, stream),
    FOREIGN KEY (organization_id, sync_run_id) REFERENCES sync_run (organization_id, id)
);
CREATE UNIQUE INDEX sync_run_stream_active ON sync_run_stream (organization_id, connection_id, lock_stream, direction)
    WHERE active;

CREATE TABLE sync_page (
    organization_id uuid NOT NULL,
    sync_run_id uuid NOT NULL,
    stream text NOT NULL,
    number integer NOT NULL,
    external_ids text[] NOT NULL,
    state jsonb NOT NULL,
    read integer NOT NULL,
    created integer NOT NULL,
    updated integer NOT NULL,
    unchanged integer NOT NULL,
    deleted integer NOT NULL,
    failed integer NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, sync_run_id, stream, number),
    FOREIGN KEY (organization_id, sync_run_id, stream)
        REFERENCES sync_run_stream (organization_id, sync_run_id, stream)
);

CREATE TABLE stream_state (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    state jsonb NOT NULL,
    sync_run_id uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, connection_id, stream),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);

-- A record that could not be taken over: its cause, payload and stage. Closed by itself when a later run heals it.
CREATE TABLE failed_record (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    external_id text NOT NULL,
    sync_run_id uuid NOT NULL,
    stage text NOT NULL CHECK (stage IN ('read', 'assemble', 'translate', 'validate', 'store', 'project')),
    error_code text NOT NULL,
    message text NOT NULL,
    fix_by text NOT NULL,
    payload bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    last_failed_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE UNIQUE INDEX failed_record_open ON failed_record (organization_id, connection_id, stream, external_id)
    WHERE resolved_at IS NULL;
CREATE INDEX failed_record_by_run ON failed_record (organization_id, sync_run_id, id);
