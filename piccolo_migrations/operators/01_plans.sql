-- A plan that could not be made, or whose applying stopped, says why: {"code", "message", "fix_by"}.
ALTER TABLE plan ADD COLUMN error jsonb;
ALTER TABLE plan DROP CONSTRAINT plan_status_check;
ALTER TABLE plan ADD CHECK (status IN ('making', 'drafted', 'applying', 'applied', 'outdated', 'dismissed', 'failed'));

DROP INDEX plan_of_undo;
CREATE INDEX plan_of_undo ON plan (organization_id, undoes_run_id, id DESC) WHERE undoes_run_id IS NOT NULL;
-- Pages of a plan's items, of all kinds or of one; how many there are of each.
CREATE INDEX plan_item_by_id ON plan_item (organization_id, plan_id, id);
CREATE INDEX plan_item_by_kind ON plan_item (organization_id, plan_id, kind, id) INCLUDE (status, is_optional);
