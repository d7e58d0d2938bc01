"""Quotes, their lines and versions, and the decisions on them.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import JSONB, UUID, BigInt, Integer, Numeric, Text, Timestamptz
from piccolo.table import Table


class Quote(Table, tablename="quote"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    connection_id = UUID(null=False)
    provider = Text(null=False)
    external_id = Text(null=False)
    contact_external_id = Text(null=True)
    contact_name = Text(null=False)
    number = Text(null=False)
    title = Text(null=False)
    site_address = Text(null=False)
    status = Text(null=False)
    provider_status = Text(null=False)
    version = Integer(null=False)
    content_hash = Text(null=False)
    currency = Text(null=False)
    subtotal = Numeric(null=False)
    tax = Numeric(null=False)
    total = Numeric(null=False)
    issued_at = Timestamptz(null=True)
    valid_until = Timestamptz(null=True)
    reopened_reason = Text(null=True)
    revision = BigInt(null=False)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)


class QuoteLine(Table, tablename="quote_line"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    quote_id = UUID(null=False)
    external_id = Text(null=False)
    position = Integer(null=False)
    description = Text(null=False)
    quantity = Numeric(null=False)
    unit_price = Numeric(null=False)
    tax_rate = Numeric(null=False)
    amount = Numeric(null=False)
    tax = Numeric(null=False)
    total = Numeric(null=False)
    decision = Text(null=False)
    reason = Text(null=True)


class QuoteVersion(Table, tablename="quote_version"):
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    quote_id = UUID(null=False)
    version = Integer(null=False)
    content_hash = Text(null=False)
    content = JSONB(null=False)
    created_at = Timestamptz(null=False)


class QuoteDecision(Table, tablename="quote_decision"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=True)
    quote_id = UUID(null=False)
    quote_version = Integer(null=False)
    outcome = Text(null=False)
    lines = JSONB(null=False)
    currency = Text(null=False)
    approved_subtotal = Numeric(null=False)
    approved_tax = Numeric(null=False)
    approved_total = Numeric(null=False)
    reason = Text(null=True)
    note = Text(null=True)
    purchase_order = Text(null=True)
    signature_name = Text(null=True)
    terms = Text(null=False)
    decided_by = JSONB(null=False)
    decided_at = Timestamptz(null=False)
    idempotency_key = Text(null=False)
    request_hash = Text(null=False)
    superseded_at = Timestamptz(null=True)
    superseded_reason = Text(null=True)
