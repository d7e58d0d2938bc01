"""Connections and the calls made through them.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, DoublePrecision, Integer, Text, Timestamptz
from piccolo.table import Table


class Connection(Table, tablename="connection"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    provider = Text(null=False)
    name = Text(null=False)
    mode = Text(null=False)
    settings = JSONB(null=False)
    credentials = Bytea(null=False)
    credential_hints = JSONB(null=False)
    account = JSONB(null=False)
    status = Text(null=False)
    status_message = Text(null=True)
    paused_until = Timestamptz(null=True)
    tested_at = Timestamptz(null=True)
    last_synced_at = Timestamptz(null=True)
    version = Integer(null=False)
    revision = BigInt(null=False)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    deleted_at = Timestamptz(null=True)


class ProviderCall(Table, tablename="provider_call"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=True)
    sync_run_id = UUID(null=True)
    delivery_id = UUID(null=True)
    method = Text(null=False)
    url = Text(null=False)
    status = Integer(null=True)
    attempt = Integer(null=False)
    duration_ms = DoublePrecision(null=False)
    waited_ms = DoublePrecision(null=False)
    bytes_received = Integer(null=False)
    error = Text(null=True)
    called_at = Timestamptz(null=False)
