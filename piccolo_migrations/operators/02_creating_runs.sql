-- A run whose pushes make what the provider does not have yet, whatever the streams' policies say: somebody asked for all of it.
ALTER TABLE sync_run ADD COLUMN creates_missing boolean NOT NULL DEFAULT false;
