-- What a complete scan found new, changed or gone and took over: what earlier syncs had not seen.
ALTER TABLE reconciliation ADD COLUMN taken_over integer NOT NULL DEFAULT 0;
