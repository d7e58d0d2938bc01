-- Conflicts, policies, quarantined deletions and field mappings.

-- Two sides changed the same field differently, and the policy is to ask. `base` is what both had, `ours` the hub's value,
-- `theirs` the provider's. While it is open, the field stays as the hub has it and is not pushed.
CREATE TABLE conflict (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    record_id uuid NOT NULL,
    external_id text NOT NULL,
    field text NOT NULL,
    base jsonb,
    ours jsonb,
    theirs jsonb,
    sync_run_id uuid,
    resolution text CHECK (resolution IN ('ours', 'theirs', 'value', 'agreed')),
    value jsonb,
    resolved_by text,
    resolved_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id),
    FOREIGN KEY (organization_id, record_id) REFERENCES record (organization_id, id)
);
CREATE UNIQUE INDEX conflict_open ON conflict (organization_id, record_id, connection_id, stream, field) WHERE resolved_at IS NULL;
CREATE INDEX conflict_waiting ON conflict (organization_id, id DESC) WHERE resolved_at IS NULL;
CREATE INDEX conflict_by_connection ON conflict (organization_id, connection_id, id DESC);

-- What is done about a stream of a connection when both sides changed, or one side deleted. Without a row: ask, and tombstones only.
CREATE TABLE stream_policy (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    conflicts text NOT NULL DEFAULT 'ask' CHECK (conflicts IN ('ask', 'provider_wins', 'hub_wins', 'newest')),
    -- field by field, where it differs: {"email": "hub_wins"}
    field_conflicts jsonb NOT NULL DEFAULT '{}',
    provider_deletions text NOT NULL DEFAULT 'tombstone' CHECK (provider_deletions IN ('propagate', 'tombstone', 'ignore')),
    hub_deletions text NOT NULL DEFAULT 'tombstone' CHECK (hub_deletions IN ('propagate', 'deactivate', 'tombstone', 'ignore')),
    -- whether a push also makes what the provider does not have yet
    creates_missing boolean NOT NULL DEFAULT false,
    -- more deletions at once than this share of what is known, and more than this number, are held back
    brake_share double precision NOT NULL DEFAULT 0.05 CHECK (brake_share BETWEEN 0 AND 1),
    brake_minimum integer NOT NULL DEFAULT 10 CHECK (brake_minimum >= 0),
    version integer NOT NULL DEFAULT 1,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, connection_id, stream),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);

-- Deletions that a complete scan would have caused, held back by the brake until somebody releases or dismisses them.
CREATE TABLE quarantine (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    sync_run_id uuid NOT NULL,
    external_ids text[] NOT NULL,
    -- how many were known before the scan
    known integer NOT NULL,
    status text NOT NULL DEFAULT 'held' CHECK (status IN ('held', 'released', 'dismissed')),
    decided_by text,
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX quarantine_by_connection ON quarantine (organization_id, connection_id, id DESC);

-- The versions of a connection's own field mapping for a stream; without a published one, the connector's default counts.
CREATE TABLE field_mapping (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    version integer NOT NULL,
    -- [{"target", "path", "transforms", "default", "required", "direction"}]
    rows jsonb NOT NULL,
    note text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    published_by text,
    -- when another version took its place
    retired_at timestamptz,
    PRIMARY KEY (organization_id, connection_id, stream, version),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE UNIQUE INDEX field_mapping_published ON field_mapping (organization_id, connection_id, stream)
    WHERE published_at IS NOT NULL AND retired_at IS NULL;
