"""Records and their history.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, Array, Integer, Text, Timestamptz
from piccolo.table import Table


class Record(Table, tablename="record"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    entity = Text(null=False)
    connection_id = UUID(null=True)
    data = JSONB(null=False)
    version = Integer(null=False)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    deleted_at = Timestamptz(null=True)
    merged_into = UUID(null=True)
    own_organization_id = UUID(null=True)
    name = Text(null=True)
    name_folded = Text(null=True)
    number = Text(null=True)
    status = Text(null=True)
    contact_external_id = Text(null=True)
    email_folded = Text(null=True)
    tax_number_folded = Text(null=True)
    kind = Text(null=True)


class RecordVersion(Table, tablename="record_version"):
    organization_id = UUID(null=False)
    record_id = UUID(null=False)
    version = Integer(null=False)
    data = JSONB(null=False)
    deleted_at = Timestamptz(null=True)
    replaced_at = Timestamptz(null=False)
    replaced_by = Text(null=False)
    sync_run_id = UUID(null=True)


class RecordMerge(Table, tablename="record_merge"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    survivor_id = UUID(null=False)
    loser_id = UUID(null=False)
    loser_version = Integer(null=False)
    changes = JSONB(null=False)
    followers = Array(base_column=UUID(), null=False)
    moved = JSONB(null=False)
    merged_by = Text(null=False)
    merged_at = Timestamptz(null=False)
    undone_by = Text(null=True)
    undone_at = Timestamptz(null=True)
