"""Mappings, the parts that documents are assembled from, and connections' own field mappings.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Mapping(Table, tablename="mapping"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    external_id = Text(null=False)
    record_id = UUID(null=False)
    status = Text(null=False)
    base_version = Integer(null=True)
    provider_version = Text(null=True)
    fingerprint = Bytea(null=True)
    payload = Bytea(null=True)
    last_synced_at = Timestamptz(null=True)
    last_error = Text(null=True)
    synced_by = Text(null=True)
    created_run_id = UUID(null=True)
    archived_at = Timestamptz(null=True)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)


class Part(Table, tablename="part"):
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    kind = Text(null=False)
    external_id = Text(null=False)
    parent_id = Text(null=False)
    payload = Bytea(null=False)


class FieldMapping(Table, tablename="field_mapping"):
    organization_id = UUID(null=False)
    connection_id = UUID(null=False)
    stream = Text(null=False)
    version = Integer(null=False)
    rows = JSONB(null=False)
    note = Text(null=False)
    created_by = Text(null=False)
    created_at = Timestamptz(null=False)
    published_at = Timestamptz(null=True)
    published_by = Text(null=True)
    retired_at = Timestamptz(null=True)
