-- Records in the hub's canonical shapes, their history, and the mappings that link them to a connection.
--
-- The most telling column stands right behind organization_id in each unique index, and no two indexes share a longer
-- prefix: on tables without statistics the planner takes the prefix of a wrong index for as good as the right one.

CREATE TABLE record (
    id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization (id),
    entity text NOT NULL,
    connection_id uuid,
    data jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    -- What is filtered or sorted is a stored column: under row-level security no expression index would be used.
    name text GENERATED ALWAYS AS (data ->> 'name') STORED,
    -- the order of contacts; compared byte by byte, so that the beginning of a name is one range of an index
    name_folded text COLLATE "C" GENERATED ALWAYS AS (lower(data ->> 'name')) STORED,
    number text GENERATED ALWAYS AS (data ->> 'number') STORED,
    status text GENERATED ALWAYS AS (data ->> 'status') STORED,
    contact_external_id text GENERATED ALWAYS AS (data ->> 'contact_external_id') STORED,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
-- Contacts are listed by name; an index that nobody reads would slow down every first sync.
CREATE INDEX record_by_entity ON record (organization_id, entity, id) WHERE entity <> 'contact';
CREATE INDEX record_by_name ON record (organization_id, entity, name_folded, id);
CREATE INDEX record_by_connection ON record (organization_id, connection_id, entity, name_folded, id);
CREATE INDEX record_by_status ON record (organization_id, entity, status, id) WHERE status IS NOT NULL;
CREATE INDEX record_by_contact ON record (organization_id, connection_id, contact_external_id, id)
    WHERE contact_external_id IS NOT NULL;
CREATE INDEX record_by_contact_and_status ON record (organization_id, contact_external_id, status, id)
    WHERE contact_external_id IS NOT NULL;

ALTER TABLE client ADD FOREIGN KEY (organization_id, contact_record_id) REFERENCES record (organization_id, id);

-- The before-image of each change: version n holds what the record was before version n + 1.
CREATE TABLE record_version (
    organization_id uuid NOT NULL,
    record_id uuid NOT NULL,
    version integer NOT NULL,
    data jsonb NOT NULL,
    deleted_at timestamptz,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    replaced_by text NOT NULL,
    PRIMARY KEY (organization_id, record_id, version),
    FOREIGN KEY (organization_id, record_id) REFERENCES record (organization_id, id)
);

CREATE TABLE mapping (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    external_id text NOT NULL,
    record_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'synced', 'failed', 'deleted')),
    -- the last agreed version, as a reference
    base_version integer,
    -- the provider's own version or timestamp of the object
    provider_version text,
    -- of the payload, its parts and the field mapping's version; equal means nothing to do
    fingerprint bytea,
    payload bytea,
    last_synced_at timestamptz,
    last_error text,
    synced_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, external_id, connection_id, stream),
    UNIQUE (organization_id, record_id, connection_id, stream),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id),
    FOREIGN KEY (organization_id, record_id) REFERENCES record (organization_id, id)
);
-- Nearly all are synced: those are found by walking the primary key.
CREATE INDEX mapping_by_status ON mapping (organization_id, status, id DESC) WHERE status <> 'synced';
-- Counted without the table, stream by stream. Look-ups by external id must not be able to use it (app/mappings/repository.py).
CREATE INDEX mapping_by_connection ON mapping (organization_id, connection_id, id DESC) INCLUDE (stream, status);

-- Child objects from which a record's document is assembled (a company's contacts, a job's materials).
CREATE TABLE part (
    organization_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    stream text NOT NULL,
    kind text NOT NULL,
    external_id text NOT NULL,
    parent_id text NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (organization_id, external_id, connection_id, stream, kind),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX part_by_parent ON part (organization_id, parent_id, connection_id, stream);
