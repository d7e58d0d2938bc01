"""Organizations, the people and clients in them, and how they prove who they are.

Columns as the migrations made them (tests/database/test_migrations.py compares); constraints and walls are in the SQL.
"""

from piccolo.columns import UUID, Array, BigInt, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Organization(Table, tablename="organization"):
    id = UUID(primary_key=True, null=False)
    slug = Text(null=False)
    name = Text(null=False)
    time_zone = Text(null=False)
    accent_color = Text(null=False)
    terms = Text(null=False)
    created_at = Timestamptz(null=False)


class OrganizationCounter(Table, tablename="organization_counter"):
    organization_id = UUID(null=False)
    event_sequence = BigInt(null=False)
    audit_sequence = BigInt(null=False)
    audit_hash = Bytea(null=False)


class Person(Table, tablename="person"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    email = Text(null=False)
    name = Text(null=False)
    role = Text(null=False)
    created_at = Timestamptz(null=False)
    disabled_at = Timestamptz(null=True)


class Client(Table, tablename="client"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    name = Text(null=False)
    contact_record_id = UUID(null=True)
    created_at = Timestamptz(null=False)


class Site(Table, tablename="site"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=False)
    name = Text(null=False)
    address = Text(null=False)
    created_at = Timestamptz(null=False)


class ClientContact(Table, tablename="client_contact"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    client_id = UUID(null=False)
    email = Text(null=False)
    name = Text(null=False)
    created_at = Timestamptz(null=False)
    disabled_at = Timestamptz(null=True)


class Session(Table, tablename="session"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    token_hash = Bytea(null=False)
    person_id = UUID(null=True)
    client_contact_id = UUID(null=True)
    csrf_token = Text(null=False)
    ip = Text(null=True)
    user_agent = Text(null=True)
    created_at = Timestamptz(null=False)
    last_seen_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    ended_at = Timestamptz(null=True)


class ApiToken(Table, tablename="api_token"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    name = Text(null=False)
    token_hash = Bytea(null=False)
    last_four = Text(null=False)
    role = Text(null=False)
    permissions = Array(base_column=Text(), null=True)
    created_by = UUID(null=True)
    created_at = Timestamptz(null=False)
    last_used_at = Timestamptz(null=True)
    expires_at = Timestamptz(null=True)
    revoked_at = Timestamptz(null=True)


class SignInLink(Table, tablename="sign_in_link"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    token_hash = Bytea(null=False)
    person_id = UUID(null=True)
    client_contact_id = UUID(null=True)
    reusable = Boolean(null=False)
    next_path = Text(null=True)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    used_at = Timestamptz(null=True)


class Mail(Table, tablename="mail"):
    id = UUID(primary_key=True, null=False)
    organization_id = UUID(null=False)
    recipient = Text(null=False)
    subject = Text(null=False)
    body = Text(null=False)
    purpose = Text(null=False)
    status = Text(null=False)
    attempts = Integer(null=False)
    next_attempt_at = Timestamptz(null=False)
    error = Text(null=True)
    created_at = Timestamptz(null=False)
    sent_at = Timestamptz(null=True)
