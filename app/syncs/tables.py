"""Syncs, runs and their pages, stream states, failed records.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, Array, BigInt, Boolean, Bytea, Integer, Numeric, Text, Timestamptz
from piccolo.table import Table


class Sync(Table, tablename="sync"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    name = Text(null=False)
    streams = Array(base_column=Text(), null=False)
    direction = Text(null=False)
    mode = Text(null=False)
    schedule = Text(null=True)
    time_zone = Text(null=False)
    next_due_at = Timestamptz(null=True)
    enabled = Boolean(null=False)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    deleted_at = Timestamptz(null=True)
    jitter_seconds = Integer(null=False)
    last_skipped_at = Timestamptz(null=True)
    last_skipped_reason = Text(null=True)


class SyncRun(Table, tablename="sync_run"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    sync_id = UUID(null=True)
    direction = Text(null=False)
    mode = Text(null=False)
    narrowed_to = JSONB(null=True)
    status = Text(null=False)
    requested_by = JSONB(null=False)
    revision = BigInt(null=False)
    progress = Numeric(null=False)
    message = Text(null=False)
    error_code = Text(null=True)
    error_message = Text(null=True)
    fix_by = Text(null=True)
    fence = Integer(null=False)
    lease_expires_at = Timestamptz(null=True)
    attempts = Integer(null=False)
    next_attempt_at = Timestamptz(null=False)
    cancel_requested_at = Timestamptz(null=True)
    created_at = Timestamptz(null=False)
    started_at = Timestamptz(null=True)
    finished_at = Timestamptz(null=True)


class SyncRunStream(Table, tablename="sync_run_stream"):
    organization_id = UUID(null=False)
    sync_run_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    lock_stream = Text(null=False)
    direction = Text(null=False)
    position = Integer(null=False)
    status = Text(null=False)
    active = Boolean(null=False)
    state = JSONB(null=True)
    pages = Integer(null=False)
    expected = Integer(null=True)
    read = Integer(null=False)
    created = Integer(null=False)
    updated = Integer(null=False)
    unchanged = Integer(null=False)
    deleted = Integer(null=False)
    failed = Integer(null=False)
    started_at = Timestamptz(null=True)
    finished_at = Timestamptz(null=True)


class SyncPage(Table, tablename="sync_page"):
    organization_id = UUID(null=False)
    sync_run_id = UUID(null=False)
    stream = Text(null=False)
    direction = Text(null=False)
    number = Integer(null=False)
    external_ids = Array(base_column=Text(), null=False)
    state = JSONB(null=False)
    read = Integer(null=False)
    created = Integer(null=False)
    updated = Integer(null=False)
    unchanged = Integer(null=False)
    deleted = Integer(null=False)
    failed = Integer(null=False)
    committed_at = Timestamptz(null=False)


class StreamState(Table, tablename="stream_state"):
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    state = JSONB(null=False)
    sync_run_id = UUID(null=False)
    updated_at = Timestamptz(null=False)


class FailedRecord(Table, tablename="failed_record"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    external_id = Text(null=False)
    sync_run_id = UUID(null=True)
    stage = Text(null=False)
    error_code = Text(null=False)
    message = Text(null=False)
    fix_by = Text(null=False)
    payload = Bytea(null=False)
    attempts = Integer(null=False)
    first_failed_at = Timestamptz(null=False)
    last_failed_at = Timestamptz(null=False)
    resolved_at = Timestamptz(null=True)
    dismissed_at = Timestamptz(null=True)
    dismissed_by = Text(null=True)
    dismissed_reason = Text(null=True)
    edited_payload = Bytea(null=True)
    edited_by = Text(null=True)
    edited_at = Timestamptz(null=True)
    cause = Text(null=False)


class Reconciliation(Table, tablename="reconciliation"):
    organization_id = UUID(null=False)
    sync_run_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    seen = Integer(null=False)
    mapped = Integer(null=False)
    missing_here = Integer(null=False)
    missing_there = Integer(null=False)
    different = Integer(null=False)
    failed = Integer(null=False)
    examples = JSONB(null=False)
    compared_at = Timestamptz(null=False)
