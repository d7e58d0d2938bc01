-- A run may translate what is stored again, without asking the provider.
ALTER TABLE sync_run DROP CONSTRAINT sync_run_mode_check;
ALTER TABLE sync_run ADD CHECK (mode IN ('incremental', 'full', 'remap'));
