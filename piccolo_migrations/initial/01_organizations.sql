-- Organizations (tenants), the people and clients in them, and how they prove who they are.
--
-- A table that is listed in the order of its ids has the organization in front of its primary key. With an index on the id
-- alone, the list of an organization that has been still for long was read through everybody else's newer rows.

CREATE TABLE organization (
    id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    accent_color text NOT NULL DEFAULT '#1f5f5b' CHECK (accent_color ~ '^#[0-9a-f]{6}$'),
    terms text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Gapless counters of an organization, taken under this row's lock at the end of a transaction:
-- the feed's sequence, and the head of the audit log's hash chain.
CREATE TABLE organization_counter (
    organization_id uuid PRIMARY KEY REFERENCES organization (id),
    event_sequence bigint NOT NULL DEFAULT 0,
    audit_sequence bigint NOT NULL DEFAULT 0,
    audit_hash bytea NOT NULL DEFAULT '\x'
);

-- A person may belong to several organizations; one row for each, joined by the e-mail address.
CREATE TABLE person (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, email)
);

CREATE TABLE client (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    name text NOT NULL,
    -- the contact record that this client is; set by raw SQL below because `record` comes later
    contact_record_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, contact_record_id)
);

CREATE TABLE site (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    client_id uuid NOT NULL,
    name text NOT NULL,
    address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES client (organization_id, id)
);
CREATE INDEX site_by_client ON site (organization_id, client_id);

CREATE TABLE client_contact (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    client_id uuid NOT NULL,
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, email),
    FOREIGN KEY (organization_id, client_id) REFERENCES client (organization_id, id)
);
CREATE INDEX client_contact_by_client ON client_contact (organization_id, client_id);

-- One of person_id and client_contact_id is set: whose session, token or link this is.
CREATE TABLE session (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    token_hash bytea NOT NULL UNIQUE,
    person_id uuid,
    client_contact_id uuid,
    csrf_token text NOT NULL,
    ip text,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK (num_nonnulls(person_id, client_contact_id) = 1),
    FOREIGN KEY (organization_id, person_id) REFERENCES person (organization_id, id),
    FOREIGN KEY (organization_id, client_contact_id) REFERENCES client_contact (organization_id, id)
);
CREATE INDEX session_by_person ON session (organization_id, person_id) WHERE person_id IS NOT NULL;
CREATE INDEX session_by_client_contact ON session (organization_id, client_contact_id) WHERE client_contact_id IS NOT NULL;

CREATE TABLE api_token (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    name text NOT NULL,
    token_hash bytea NOT NULL UNIQUE,
    last_four text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    permissions text[],
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, created_by) REFERENCES person (organization_id, id)
);

CREATE TABLE sign_in_link (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organization (id),
    token_hash bytea NOT NULL UNIQUE,
    person_id uuid,
    client_contact_id uuid,
    reusable boolean NOT NULL DEFAULT false,
    next_path text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK (num_nonnulls(person_id, client_contact_id) = 1),
    FOREIGN KEY (organization_id, person_id) REFERENCES person (organization_id, id),
    FOREIGN KEY (organization_id, client_contact_id) REFERENCES client_contact (organization_id, id)
);
CREATE INDEX sign_in_link_by_person ON sign_in_link (organization_id, person_id, created_at) WHERE person_id IS NOT NULL;
CREATE INDEX sign_in_link_by_client_contact ON sign_in_link (organization_id, client_contact_id, created_at)
    WHERE client_contact_id IS NOT NULL;

-- Outgoing mail. Without an SMTP server it stays here and the console shows it.
CREATE TABLE mail (
    id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization (id),
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    -- why it was written; one unsent or recent mail per purpose is enough
    purpose text NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'kept', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX mail_by_purpose ON mail (organization_id, recipient, purpose, created_at);
CREATE INDEX mail_due ON mail (next_attempt_at) WHERE status = 'queued';
