-- Errors since a run's last checkpoint. How often it was taken up says less: workers that were killed are no errors.
ALTER TABLE sync_run ADD COLUMN errors integer NOT NULL DEFAULT 0;
