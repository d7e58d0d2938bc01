-- The feed of changes, the append-only audit log, and the keys that make repeated requests harmless.

CREATE TABLE event (
    organization_id uuid NOT NULL REFERENCES organization (id),
    sequence bigint NOT NULL,
    client_id uuid,
    -- what it is about: 'quote', 'sync_run', 'connection', 'delivery'
    topic text NOT NULL,
    subject_id uuid NOT NULL,
    revision bigint NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, sequence)
);
CREATE INDEX event_by_subject ON event (organization_id, topic, subject_id, sequence);
CREATE INDEX event_by_client ON event (organization_id, client_id, sequence) WHERE client_id IS NOT NULL;

CREATE TABLE audit_entry (
    organization_id uuid NOT NULL REFERENCES organization (id),
    sequence bigint NOT NULL,
    client_id uuid,
    happened_at timestamptz NOT NULL,
    actor jsonb NOT NULL,
    ip text,
    user_agent text,
    -- subject.verb in the past tense: 'quote.approved', 'connection.created'
    event text NOT NULL,
    subject_id uuid,
    data jsonb NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (organization_id, sequence)
);
CREATE INDEX audit_entry_by_subject ON audit_entry (organization_id, subject_id, sequence) WHERE subject_id IS NOT NULL;

CREATE TABLE idempotency_key (
    organization_id uuid NOT NULL REFERENCES organization (id),
    client_id uuid,
    -- whose key it is: actor kind and id, so that two actors never meet in one key
    actor text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    operation text NOT NULL,
    request_hash text NOT NULL,
    result jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, actor, key)
);
CREATE INDEX idempotency_key_old ON idempotency_key (organization_id, created_at);
