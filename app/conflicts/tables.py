"""Conflicts, the policies that decide them, and deletions that are held back.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, Array, Boolean, DoublePrecision, Integer, Text, Timestamptz
from piccolo.table import Table


class Conflict(Table, tablename="conflict"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    record_id = UUID(null=False)
    external_id = Text(null=False)
    field = Text(null=False)
    base = JSONB(null=True)
    ours = JSONB(null=True)
    theirs = JSONB(null=True)
    sync_run_id = UUID(null=True)
    resolution = Text(null=True)
    value = JSONB(null=True)
    resolved_by = Text(null=True)
    resolved_at = Timestamptz(null=True)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)


class StreamPolicy(Table, tablename="stream_policy"):
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    conflicts = Text(null=False)
    field_conflicts = JSONB(null=False)
    provider_deletions = Text(null=False)
    hub_deletions = Text(null=False)
    creates_missing = Boolean(null=False)
    brake_share = DoublePrecision(null=False)
    brake_minimum = Integer(null=False)
    version = Integer(null=False)
    updated_by = Text(null=False)
    updated_at = Timestamptz(null=False)


class Quarantine(Table, tablename="quarantine"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    sync_run_id = UUID(null=False)
    external_ids = Array(base_column=Text(), null=False)
    known = Integer(null=False)
    status = Text(null=False)
    decided_by = Text(null=True)
    decided_at = Timestamptz(null=True)
    created_at = Timestamptz(null=False)
    brake_share = DoublePrecision(null=False)
    brake_minimum = Integer(null=False)
    looked_at = Integer(null=False)
    deleted = Integer(null=False)
    next_attempt_at = Timestamptz(null=True)
    error_message = Text(null=True)
    finished_at = Timestamptz(null=True)
