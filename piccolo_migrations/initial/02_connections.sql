-- Connections (one authorised account at a provider), and every call made to a provider.

CREATE TABLE connection (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    provider text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- a sandbox connection points at an imitation and is never mixed with real data
    mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'sandbox')),
    settings jsonb NOT NULL DEFAULT '{}',
    credentials bytea NOT NULL,
    -- what may be shown of each secret: {"api_key": {"last_four": "7f2a", "set_at": "…"}}
    credential_hints jsonb NOT NULL DEFAULT '{}',
    -- what the provider says of the account: id, name, currency, time zone
    account jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'untested'
        CHECK (status IN ('untested', 'active', 'needs_attention', 'paused', 'disabled')),
    status_message text,
    paused_until timestamptz,
    tested_at timestamptz,
    last_synced_at timestamptz,
    -- counts up when a person changes it; a change names the version that it was made from
    version integer NOT NULL DEFAULT 1,
    -- counts up with every change, of its status too; subscribers see it
    revision bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    UNIQUE (organization_id, id)
);
CREATE UNIQUE INDEX connection_name ON connection (organization_id, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE provider_call (
    id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization (id),
    -- NULL: settings were tried out before they became a connection
    connection_id uuid,
    sync_run_id uuid,
    delivery_id uuid,
    method text NOT NULL,
    url text NOT NULL,
    status integer,
    attempt integer NOT NULL,
    duration_ms double precision NOT NULL,
    waited_ms double precision NOT NULL DEFAULT 0,
    bytes_received integer NOT NULL DEFAULT 0,
    error text,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX provider_call_by_connection ON provider_call (organization_id, connection_id, id DESC);
CREATE INDEX provider_call_by_run ON provider_call (organization_id, sync_run_id, id) WHERE sync_run_id IS NOT NULL;
