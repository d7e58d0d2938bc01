-- Failed records that somebody dismisses or edits, and records that are merged into one.

-- Somebody decided that it may stay as it is. It is open again as soon as it fails in another way.
ALTER TABLE failed_record ADD COLUMN dismissed_at timestamptz;
ALTER TABLE failed_record ADD COLUMN dismissed_by text;
ALTER TABLE failed_record ADD COLUMN dismissed_reason text;
-- What somebody made of the payload; it is tried instead until the provider sends another one.
ALTER TABLE failed_record ADD COLUMN edited_payload bytea;
ALTER TABLE failed_record ADD COLUMN edited_by text;
ALTER TABLE failed_record ADD COLUMN edited_at timestamptz;
-- A single object fails outside of any run.
ALTER TABLE failed_record ALTER COLUMN sync_run_id DROP NOT NULL;
-- The message with ids, quoted values and numbers taken out: equal for all that fail alike.
ALTER TABLE failed_record ADD COLUMN cause text NOT NULL GENERATED ALWAYS AS (
    regexp_replace(
        message,
        '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|''[^'']*''|"[^"]*"|[0-9]+([.,:-][0-9]+)*',
        '…', 'g')) STORED;

-- By what contacts are taken for the same: in lower case; letters and digits alone, without the country's prefix.
ALTER TABLE record ADD COLUMN email_folded text COLLATE "C" GENERATED ALWAYS AS (lower(nullif(data ->> 'email', ''))) STORED;
ALTER TABLE record ADD COLUMN tax_number_folded text COLLATE "C" GENERATED ALWAYS AS (
    nullif(regexp_replace(regexp_replace(upper(data ->> 'tax_number'), '[^A-Z0-9]', '', 'g'), '^[A-Z]{2}(?=[0-9])', ''), '')) STORED;
CREATE INDEX record_by_email ON record (organization_id, email_folded, id) INCLUDE (connection_id)
    WHERE email_folded IS NOT NULL AND deleted_at IS NULL AND entity = 'contact';
CREATE INDEX record_by_tax_number ON record (organization_id, tax_number_folded, id) INCLUDE (connection_id)
    WHERE tax_number_folded IS NOT NULL AND deleted_at IS NULL AND entity = 'contact';
CREATE INDEX record_tombstones ON record (organization_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX record_merged ON record (organization_id, merged_into) WHERE merged_into IS NOT NULL;

-- One contact that became part of another, and what it takes to part them again.
CREATE TABLE record_merge (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    loser_id uuid NOT NULL,
    -- what the loser was before
    loser_version integer NOT NULL,
    -- of the survivor's fields: {"email": {"before": …, "after": …}}; a side that had none is left out
    changes jsonb NOT NULL,
    -- what had been merged into the loser before
    followers uuid[] NOT NULL,
    -- what went from the loser's client to the survivor's
    moved jsonb NOT NULL,
    merged_by text NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now(),
    undone_by text,
    undone_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, survivor_id) REFERENCES record (organization_id, id),
    FOREIGN KEY (organization_id, loser_id) REFERENCES record (organization_id, id)
);
CREATE UNIQUE INDEX record_merge_open ON record_merge (organization_id, loser_id) WHERE undone_at IS NULL;
CREATE INDEX record_merge_by_survivor ON record_merge (organization_id, survivor_id, id);

-- For the organization's own people only (07_walls.sql of the first schema tells why so).
CREATE POLICY organization_wall ON record_merge TO crosswalk_app
    USING (organization_id = nullif(current_setting('crosswalk.organization_id', true), '')::uuid
           AND coalesce(current_setting('crosswalk.client_id', true) = '*', false));
ALTER TABLE record_merge ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_merge FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON record_merge TO crosswalk_app;
