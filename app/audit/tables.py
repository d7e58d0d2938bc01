"""The feed of changes, the audit log, idempotency keys.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Text, Timestamptz
from piccolo.table import Table


class Event(Table, tablename="event"):
    organization_id = UUID(null=False)
    sequence = BigInt(null=False)
    client_id = UUID(null=True)
    topic = Text(null=False)
    subject_id = UUID(null=False)
    revision = BigInt(null=False)
    data = JSONB(null=False)
    happened_at = Timestamptz(null=False)


class AuditEntry(Table, tablename="audit_entry"):
    organization_id = UUID(null=False)
    sequence = BigInt(null=False)
    client_id = UUID(null=True)
    happened_at = Timestamptz(null=False)
    actor = JSONB(null=False)
    ip = Text(null=True)
    user_agent = Text(null=True)
    event = Text(null=False)
    subject_id = UUID(null=True)
    data = JSONB(null=False)
    previous_hash = Bytea(null=False)
    hash = Bytea(null=False)


class IdempotencyKey(Table, tablename="idempotency_key"):
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    actor = Text(null=False)
    key = Text(null=False)
    operation = Text(null=False)
    request_hash = Text(null=False)
    result = JSONB(null=False)
    created_at = Timestamptz(null=False)
