-- How often and why a record failed, and deletions that a worker carries out once somebody has released them.

-- The latest times that it failed, the newest last: [{"at": …, "run_id": …, "stage": …, "message": …, "edited": …}, …]
ALTER TABLE failed_record ADD COLUMN tries jsonb NOT NULL DEFAULT '[]';

-- The limits that were passed; of earlier ones, those that a stream begins with.
ALTER TABLE quarantine ADD COLUMN brake_share double precision NOT NULL DEFAULT 0.05;
ALTER TABLE quarantine ADD COLUMN brake_minimum integer NOT NULL DEFAULT 10;
ALTER TABLE quarantine ALTER COLUMN brake_share DROP DEFAULT, ALTER COLUMN brake_minimum DROP DEFAULT;
-- Of a release: how many were looked at again, and how many of those were deleted.
ALTER TABLE quarantine ADD COLUMN looked_at integer NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN deleted integer NOT NULL DEFAULT 0;
-- When a worker goes on with it, or may take it from one that does not; and why it waits.
ALTER TABLE quarantine ADD COLUMN next_attempt_at timestamptz;
ALTER TABLE quarantine ADD COLUMN error_message text;
ALTER TABLE quarantine ADD COLUMN finished_at timestamptz;
ALTER TABLE quarantine DROP CONSTRAINT quarantine_status_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_status_check CHECK (status IN ('held', 'releasing', 'released', 'dismissed'));
-- Those that somebody has to look at, or that go on; there are never many.
CREATE INDEX quarantine_open ON quarantine (organization_id, id DESC) WHERE status IN ('held', 'releasing');
CREATE INDEX quarantine_due ON quarantine (next_attempt_at) WHERE status = 'releasing';
CREATE POLICY due ON quarantine FOR SELECT TO crosswalk_system USING (status = 'releasing');
GRANT SELECT (id, organization_id, status, looked_at, next_attempt_at) ON quarantine TO crosswalk_system;
