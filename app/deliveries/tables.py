"""Deliveries: the outbox of writes to providers.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, BigInt, Integer, Text, Timestamptz
from piccolo.table import Table


class Delivery(Table, tablename="delivery"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    connection_id = UUID(null=False)
    provider = Text(null=False)
    action = Text(null=False)
    payload = JSONB(null=False)
    steps = JSONB(null=False)
    quote_id = UUID(null=True)
    decision_id = UUID(null=True)
    record_id = UUID(null=True)
    stream = Text(null=True)
    sync_run_id = UUID(null=True)
    status = Text(null=False)
    error_code = Text(null=True)
    error_message = Text(null=True)
    fix_by = Text(null=True)
    confirmation = JSONB(null=True)
    fence = Integer(null=False)
    lease_expires_at = Timestamptz(null=True)
    attempts = Integer(null=False)
    faults = Integer(null=False)
    failing_since = Timestamptz(null=True)
    operators_told_at = Timestamptz(null=True)
    next_attempt_at = Timestamptz(null=False)
    revision = BigInt(null=False)
    created_at = Timestamptz(null=False)
    started_at = Timestamptz(null=True)
    finished_at = Timestamptz(null=True)
