-- Quotes as clients decide on them (a projection keyed by the record), decisions, and deliveries (the outbox).

CREATE TABLE quote (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    client_id uuid,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    -- the provider's id of the object, and of the contact that it is for
    external_id text NOT NULL,
    contact_external_id text,
    contact_name text NOT NULL DEFAULT '',
    number text NOT NULL DEFAULT '',
    title text NOT NULL DEFAULT '',
    site_address text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'open' CHECK (status IN
        ('open', 'approved', 'partially_approved', 'rejected', 'expired', 'withdrawn')),
    -- what the record says at the provider, in the hub's words (quote, work_order …, deleted)
    provider_status text NOT NULL DEFAULT 'quote',
    -- counts up whenever the content that a client sees changes; a decision names the one it saw
    version integer NOT NULL DEFAULT 1,
    content_hash text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    subtotal numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    issued_at timestamptz,
    valid_until timestamptz,
    -- why the quote is open again after a decision was not applied
    reopened_reason text,
    revision bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, id) REFERENCES record (organization_id, id),
    FOREIGN KEY (organization_id, client_id) REFERENCES client (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id)
);
CREATE INDEX quote_by_client ON quote (organization_id, client_id, id DESC);
CREATE INDEX quote_by_status ON quote (organization_id, status, id DESC);
CREATE INDEX quote_by_client_and_status ON quote (organization_id, client_id, status, id DESC);
CREATE INDEX quote_by_contact ON quote (organization_id, contact_external_id, id DESC);

CREATE TABLE quote_line (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    client_id uuid,
    quote_id uuid NOT NULL,
    external_id text NOT NULL,
    position integer NOT NULL,
    description text NOT NULL,
    quantity numeric NOT NULL,
    -- before tax, with the provider's digits; amounts are rounded to the currency's exponent
    unit_price numeric NOT NULL,
    tax_rate numeric NOT NULL DEFAULT 0,
    amount numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    decision text NOT NULL DEFAULT 'pending' CHECK (decision IN ('pending', 'approved', 'rejected')),
    reason text,
    UNIQUE (organization_id, quote_id, external_id),
    FOREIGN KEY (organization_id, quote_id) REFERENCES quote (organization_id, id)
);
CREATE INDEX quote_line_by_quote ON quote_line (organization_id, quote_id, position);

-- What a client could see at each version: shows what changed, and what exactly was decided.
CREATE TABLE quote_version (
    organization_id uuid NOT NULL,
    client_id uuid,
    quote_id uuid NOT NULL,
    version integer NOT NULL,
    content_hash text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, quote_id, version),
    FOREIGN KEY (organization_id, quote_id) REFERENCES quote (organization_id, id)
);

CREATE TABLE quote_decision (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    client_id uuid,
    quote_id uuid NOT NULL,
    quote_version integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('approved', 'partially_approved', 'rejected')),
    -- every line as it was decided: [{"external_id", "description", …, "decision", "reason"}]
    lines jsonb NOT NULL,
    currency text NOT NULL,
    approved_subtotal numeric NOT NULL,
    approved_tax numeric NOT NULL,
    approved_total numeric NOT NULL,
    reason text,
    note text,
    purchase_order text,
    signature_name text,
    terms text NOT NULL DEFAULT '',
    decided_by jsonb NOT NULL,
    decided_at timestamptz NOT NULL,
    idempotency_key text NOT NULL,
    request_hash text NOT NULL,
    superseded_at timestamptz,
    superseded_reason text,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, quote_id) REFERENCES quote (organization_id, id)
);
-- One decision for a quote and version wins; a superseded one is history.
CREATE UNIQUE INDEX quote_decision_once ON quote_decision (organization_id, quote_id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX quote_decision_version ON quote_decision (organization_id, quote_id, quote_version)
    WHERE superseded_at IS NULL;
CREATE INDEX quote_decision_by_quote ON quote_decision (organization_id, quote_id, id);

-- One write to a provider, from the outbox: written in the transaction that decided it, sent by a worker.
CREATE TABLE delivery (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    client_id uuid,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    action text NOT NULL,
    payload jsonb NOT NULL,
    -- what the action has recorded so far, so that a repeat continues and does no harm
    steps jsonb NOT NULL DEFAULT '{}',
    quote_id uuid,
    decision_id uuid,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN
        ('queued', 'sending', 'confirmed', 'not_applied', 'failed')),
    error_code text,
    error_message text,
    fix_by text,
    -- the provider's account of the object after the write, as read back
    confirmation jsonb,
    fence integer NOT NULL DEFAULT 0,
    lease_expires_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    -- attempts that ended in an error of ours; only these are counted against a limit
    faults integer NOT NULL DEFAULT 0,
    -- since when every attempt failed, and when operators were told of it
    failing_since timestamptz,
    operators_told_at timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connection_id) REFERENCES connection (organization_id, id),
    FOREIGN KEY (organization_id, quote_id) REFERENCES quote (organization_id, id),
    FOREIGN KEY (organization_id, decision_id) REFERENCES quote_decision (organization_id, id)
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE status IN ('queued', 'sending');
CREATE INDEX delivery_by_quote ON delivery (organization_id, quote_id, id);
CREATE INDEX delivery_by_connection ON delivery (organization_id, connection_id, id DESC);
CREATE INDEX delivery_by_status ON delivery (organization_id, status, id DESC);
CREATE INDEX delivery_by_client ON delivery (organization_id, client_id, id DESC) WHERE client_id IS NOT NULL;
CREATE INDEX delivery_in_line ON delivery (organization_id, connection_id, id) WHERE status IN ('queued', 'sending');
