"""Many rows of every table that grows, made in the database from numbers: the same each time, in seconds.

They are written as the application writes, within the walls of one organization at a time. What is common and what is
rare is skewed as in real life: connection 0 has half of everything, client 0 a quarter of the quotes, other clients few.
"""

from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.database import execute, transaction

CONNECTIONS, CLIENTS, LINES = 20, 200, 5
_EPOCH, _SPAN = (
    1_767_225_600_000,
    5_184_000_000,
)  # the milliseconds of 2026-01-01, and of 60 days over which an organization's things spread
_KINDS = (
    "connection",
    "contact",
    "job",
    "client",
    "client_contact",
    "mapping",
    "line",
    "decision",
    "delivery",
    "run",
    "failed",
    "call",
    "second",
    "document",
    "product",
    "conflict",
    "paper",
    "plan",
    "item",
    "quarantine",
)
# Of all rows. A quote comes with its job and its mapping, part, version, lines and every second time decision and delivery.
_SHARES = {"contacts": 0.05, "quotes": 0.06, "jobs": 0.11, "runs": 0.03, "failed": 0.03, "events": 0.03, "entries": 0.02, "calls": 0.03}
_SHARES |= {"documents": 0.02, "products": 0.01, "conflicts": 0.01, "plans": 0.005, "items": 0.03, "quarantines": 0.006}


@dataclass(frozen=True, slots=True)
class Filled:
    """What an organization was given: how much of each, and the ids of it."""

    first: int
    step: int
    """Milliseconds from one thing to the next."""
    counts: dict[str, int]

    def id(self, kind: str, number: int) -> UUID:
        """Of the thing with this number, counted from 0 in the organization; as `_id` makes it in the database."""
        return UUID(hex=f"{_EPOCH + number * self.step:012x}7{_KINDS.index(kind):03x}8{self.first + number:015x}")

    def quote(self, number: int) -> UUID:
        """A quote has the id of its job; the first of the jobs are quotes."""
        return self.id("job", number)


async def fill(scope: Scope, *, rows: int, first: int) -> Filled:
    """About so many rows for one organization. `first` tells its ids from those of others: leave `rows` between two."""
    counts = {name: max(int(rows * share), 2 * CONNECTIONS) for name, share in _SHARES.items()}
    counts |= {"connections": CONNECTIONS, "clients": min(CLIENTS, counts["contacts"])}
    counts |= {"lines": counts["quotes"] * LINES, "decisions": counts["quotes"] // 2}
    numbers = {name: counts[name] for name in ("contacts", "quotes", "plans")} | {"step": max(_SPAN // rows // 1000, 1) * 1000}
    async with transaction(scope):
        for name, sql in _STATEMENTS:
            text = _with_numbers(sql, numbers)
            series = f"{text} FROM generate_series(0::bigint, $3::bigint - 1) AS n WHERE $2::bigint IS NOT NULL"
            await execute(scope, series, scope.organization_id, first, counts[name])
        await execute(scope, _COUNT_UP, scope.organization_id)
    return Filled(first, numbers["step"], counts)


def _with_numbers(sql: str, numbers: dict[str, int]) -> str:
    for name, number in numbers.items():
        sql = sql.replace(f"{{{name}}}", str(number))
    return sql


_COUNT_UP = """
    UPDATE organization_counter SET event_sequence = (SELECT max(sequence) FROM event WHERE organization_id = $1),
        audit_sequence = (SELECT max(sequence) FROM audit_entry WHERE organization_id = $1)
    WHERE organization_id = $1
"""


def _id(kind: str, number: str = "n") -> str:
    time = f"lpad(to_hex({_EPOCH} + ({number}) * {{step}}), 12, '0')"
    return f"({time} || '7{_KINDS.index(kind):03x}8' || lpad(to_hex($2 + {number}), 15, '0'))::uuid"


def _time(number: str = "n") -> str:
    return f"to_timestamp(({_EPOCH} + ({number}) * {{step}}) / 1000.0)"


def _connection(number: str = "n") -> str:
    return _id("connection", f"(CASE WHEN {number} % 2 = 0 THEN 0 ELSE {number} / 2 % {CONNECTIONS} END)")


def _contact(number: str = "n") -> str:
    """The number of the contact of a job."""
    return f"(CASE WHEN {number} % 4 = 0 THEN 0 ELSE {number} % {{contacts}} END)"


def _client(number: str = "n") -> str:
    """The client of a quote; NULL where its contact is none."""
    return f"CASE WHEN {_contact(number)} < {CLIENTS} THEN {_id('client', _contact(number))} END"


_OF_JOB = _connection(_contact())
_STATUS = """(CASE WHEN n % 1000 = 7 THEN 'partially_approved' WHEN n % 100 = 9 THEN 'withdrawn'
    WHEN n % 10 < 7 THEN 'approved' WHEN n % 10 = 7 THEN 'rejected' ELSE 'open' END)"""
_SOMEBODY = """'{"kind": "person", "id": null, "role": "owner", "name": "Olive Owner"}'::jsonb"""
_MAPPING = """INSERT INTO mapping (id, organization_id, connection_id, stream, external_id, record_id, status, base_version,
    provider_version, fingerprint, payload, last_synced_at) SELECT """
_MAPPED = f"CASE WHEN n % 1000 = 3 THEN 'failed' ELSE 'synced' END, 1, '1', sha256(n::text::bytea), '\\x7b7d', {_time()}"

_RECORDS = (
    (
        "connections",
        f"""INSERT INTO connection (id, organization_id, provider, name, mode, credentials, status, tested_at, created_at)
        SELECT {_id("connection")}, $1, 'servicem8', 'Connection ' || n, 'sandbox', '\\x00', 'active', {_time()}, {_time()}""",
    ),
    (
        "contacts",
        f"""INSERT INTO record (id, organization_id, entity, connection_id, data, created_at, updated_at)
        SELECT {_id("contact")}, $1, 'contact', {_connection()},
            jsonb_build_object('name', 'Company ' || lpad((n * 7919 % 1000000)::text, 6, '0'), 'email', n || '@company.test'),
            {_time()}, {_time()}""",
    ),
    ("contacts", f"{_MAPPING} {_id('mapping', '2 * n')}, $1, {_connection()}, 'companies', 'company-' || n, {_id('contact')}, {_MAPPED}"),
    (
        "jobs",
        f"""INSERT INTO record (id, organization_id, entity, connection_id, data, created_at, updated_at)
        SELECT {_id("job")}, $1, 'job', {_OF_JOB},
            jsonb_build_object('number', 'J-' || n, 'title', 'Work ' || n, 'contact_external_id', 'company-' || {_contact()},
                'status', CASE WHEN n < {{quotes}} THEN 'quote' WHEN n % 100 = 1 THEN 'unsuccessful' ELSE 'completed' END),
            {_time()}, {_time()}""",
    ),
    ("jobs", f"{_MAPPING} {_id('mapping', '2 * n + 1')}, $1, {_OF_JOB}, 'jobs', 'job-' || n, {_id('job')}, {_MAPPED}"),
    (
        "jobs",
        f"""INSERT INTO part (organization_id, connection_id, stream, kind, external_id, parent_id, payload)
        SELECT $1, {_OF_JOB}, 'jobs', 'material', 'material-' || n, 'job-' || n, '\\x7b7d'""",
    ),
    (
        "clients",
        f"""INSERT INTO client (id, organization_id, name, contact_record_id, created_at)
        SELECT {_id("client")}, $1, 'Client ' || lpad((n * 7919 % 1000000)::text, 6, '0'), {_id("contact")}, {_time()}""",
    ),
    (
        "clients",
        f"""INSERT INTO client_contact (id, organization_id, client_id, email, name)
        SELECT {_id("client_contact")}, $1, {_id("client")}, 'contact' || n || '@client.test', 'Contact ' || n""",
    ),
)
# The contacts are at connection 1 as well, under other names; so are nearly all sales documents with their mappings, and the products.
_DOCUMENTS_AT = _id("connection", "(CASE WHEN n % 50 = 0 THEN 3 ELSE 1 END)")
_TWO_WAY = (
    ("contacts", f"{_MAPPING} {_id('second')}, $1, {_id('connection', '1')}, 'partners', 'partner-' || n, {_id('contact')}, {_MAPPED}"),
    (
        "contacts",
        f"""INSERT INTO record_version (organization_id, record_id, version, data, replaced_at, replaced_by)
        SELECT $1, {_id("contact")}, 1, '{{"name": "Before"}}', {_time()}, 'Olive Owner'""",
    ),
    (
        "documents",
        f"""INSERT INTO record (id, organization_id, entity, connection_id, data, created_at, updated_at)
        SELECT {_id("document")}, $1, 'sales_document', {_DOCUMENTS_AT},
            jsonb_build_object('number', 'D-' || n, 'contact_external_id', 'partner-' || {_contact()}, 'status', 'open',
                'kind', CASE WHEN n % 1000 = 7 THEN 'credit_note' WHEN n % 5 = 0 THEN 'offer' ELSE 'order' END), {_time()}, {_time()}""",
    ),
    (
        "documents",
        f"""{_MAPPING} {_id("paper")}, $1, {_DOCUMENTS_AT}, CASE WHEN n % 5 = 0 THEN 'offers' ELSE 'orders' END, 'document-' || n,
            {_id("document")}, {_MAPPED}""",
    ),
    (
        "products",
        f"""INSERT INTO record (id, organization_id, entity, connection_id, data, created_at, updated_at)
        SELECT {_id("product")}, $1, CASE WHEN n % 3 = 0 THEN 'inventory_level' ELSE 'product' END, {_id("connection", "1")},
            jsonb_build_object('name', 'Product ' || lpad((n * 7919 % 1000000)::text, 6, '0'), 'product_external_id', n, 'on_hand', '1'),
            {_time()}, {_time()}""",
    ),
    (
        "conflicts",
        f"""INSERT INTO conflict (id, organization_id, connection_id, stream, record_id, external_id, field, ours, resolution, resolved_at)
        SELECT {_id("conflict")}, $1, {_connection()}, 'companies', {_id("contact", "(n % {contacts})")}, 'company-' || n,
            CASE WHEN n % 500 = 3 THEN 'name' ELSE 'email' END || n / {{contacts}}, '1',
            CASE WHEN n % 10 > 0 THEN 'ours' END, CASE WHEN n % 10 > 0 THEN now() END""",
    ),
)
_QUOTES = (
    (
        "quotes",
        f"""INSERT INTO quote (id, organization_id, client_id, connection_id, provider, external_id, contact_external_id,
            contact_name, number, title, status, content_hash, currency, subtotal, tax, total, valid_until, created_at, updated_at)
        SELECT {_id("job")}, $1, {_client()}, {_OF_JOB}, 'servicem8', 'job-' || n, 'company-' || {_contact()},
            'Company', 'J-' || n, 'Work ' || n, {_STATUS}, 'hash', 'EUR', 750.00, 75.00, 825.00,
            CASE WHEN n % 20 = 8 THEN now() - interval '1 day' ELSE now() + interval '90 days' END, {_time()}, {_time()}""",
    ),
    (
        "lines",
        f"""INSERT INTO quote_line (id, organization_id, client_id, quote_id, external_id, position, description, quantity,
            unit_price, tax_rate, amount, tax, total)
        SELECT {_id("line")}, $1, {_client(f"(n / {LINES})")}, {_id("job", f"n / {LINES}")}, 'line-' || n, n % {LINES},
            'Item ' || n, 1.5, 100.00, 10, 150.00, 15.00, 165.00""",
    ),
    (
        "quotes",
        f"""INSERT INTO quote_version (organization_id, client_id, quote_id, version, content_hash, content, created_at)
        SELECT $1, {_client()}, {_id("job")}, 1, 'hash', jsonb_build_object('title', 'Work ' || n, 'currency', 'EUR',
            'lines', '[]'::jsonb, 'subtotal', '750.00', 'tax', '75.00', 'total', '825.00'), {_time()}""",
    ),
    (
        "decisions",
        f"""INSERT INTO quote_decision (id, organization_id, client_id, quote_id, quote_version, outcome, lines, currency,
            approved_subtotal, approved_tax, approved_total, decided_by, decided_at, idempotency_key, request_hash)
        SELECT {_id("decision")}, $1, {_client("(2 * n)")}, {_id("job", "2 * n")}, 1, 'approved', '[]', 'EUR',
            750.00, 75.00, 825.00, {_SOMEBODY}, {_time()}, 'key-' || n, 'hash'""",
    ),
    (
        "decisions",
        f"""INSERT INTO delivery (id, organization_id, client_id, connection_id, provider, action, payload, quote_id, decision_id,
            status, attempts, next_attempt_at, created_at, started_at, finished_at)
        SELECT {_id("delivery")}, $1, {_client("(2 * n)")}, {_connection(_contact("(2 * n)"))}, 'servicem8', 'approve_quote', '{{}}',
            {_id("job", "2 * n")}, {_id("decision")}, CASE WHEN n % 500 = 1 THEN 'failed' ELSE 'confirmed' END, 1,
            {_time()}, {_time()}, {_time()}, {_time()}""",
    ),
)
_WORK = (
    (
        "runs",
        f"""INSERT INTO sync_run (id, organization_id, connection_id, status, requested_by, progress, created_at, started_at, finished_at)
        SELECT {_id("run")}, $1, {_connection()}, CASE WHEN n % 500 = 2 THEN 'failed' ELSE 'completed' END, {_SOMEBODY}, 100,
            {_time()}, {_time()}, {_time("n + 1")}""",
    ),
    (
        "runs",
        f"""INSERT INTO sync_run_stream (organization_id, sync_run_id, connection_id, stream, lock_stream, direction, position,
            status, active, pages, read, started_at, finished_at)
        SELECT $1, {_id("run")}, {_connection()}, 'companies', 'companies', 'pull', 1, 'completed', false, 3, 300,
            {_time()}, {_time("n + 1")}""",
    ),
    (
        "runs",
        f"""INSERT INTO reconciliation (organization_id, sync_run_id, connection_id, stream, seen, mapped, missing_here, missing_there,
            different, failed, compared_at)
        SELECT $1, {_id("run")}, {_connection()}, 'companies', 100, 100, 0, 0, 0, 0, {_time("n + 1")}""",
    ),
    (
        "plans",
        f"""INSERT INTO plan (id, organization_id, connection_id, kind, status, run_id, undoes_run_id, requested_by, created_at, drafted_at)
        SELECT {_id("plan")}, $1, {_connection()}, CASE WHEN n % 10 = 1 THEN 'undo' ELSE 'sync' END, 'drafted', {_id("run")},
            CASE WHEN n % 10 = 1 THEN {_id("run", "n / 10")} END, 'Olive Owner', {_time()}, {_time()}""",
    ),
    (
        "items",
        f"""INSERT INTO plan_item (id, organization_id, plan_id, stream, record_stream, direction, kind, key, record_id, fields, created_at)
        SELECT {_id("item")}, $1, {_id("plan", "(CASE WHEN n % 2 = 0 THEN 0 ELSE n / 2 % {plans} END)")}, 'companies', 'companies', 'pull',
            CASE WHEN n % 100 < 2 THEN 'delete' WHEN n % 10 < 4 THEN 'create' ELSE 'update' END, 'company-' || n,
            {_id("contact", "n % {contacts}")}, '{{"name": {{"before": "Company", "after": "Company & sons"}}}}', {_time()}""",
    ),
    (
        "failed",
        f"""INSERT INTO failed_record (id, organization_id, connection_id, stream, external_id, sync_run_id, stage, error_code,
            message, fix_by, payload, first_failed_at, last_failed_at, resolved_at)
        SELECT {_id("failed")}, $1, {_connection()}, 'companies', 'broken-' || n, {_id("run", "n / 10")}, 'validate', 'invalid_field',
            'A field is wrong.', 'customer', '\\x7b7d', {_time()}, {_time()}, CASE WHEN n % 100 > 0 THEN {_time("n + 1")} END""",
    ),
    (
        "quarantines",
        f"""INSERT INTO quarantine (id, organization_id, connection_id, stream, sync_run_id, external_ids, known, brake_share,
            brake_minimum, status, created_at)
        SELECT {_id("quarantine")}, $1, {_connection()}, 'companies', {_id("run", "n / 10")},
            ARRAY(SELECT 'company-' || n + place FROM generate_series(1, 30) AS place), 300, 0.05, 10,
            CASE WHEN n % 100 = 3 THEN 'held' ELSE 'released' END, {_time()}""",
    ),
    (
        "calls",
        f"""INSERT INTO provider_call (id, organization_id, connection_id, sync_run_id, method, url, status, attempt, duration_ms,
            called_at)
        SELECT {_id("call")}, $1, {_connection()}, {_id("run", "n / 4")}, 'GET', 'https://provider.test/company.json', 200, 1, 12.5,
            {_time()}""",
    ),
    (
        "events",
        f"""INSERT INTO event (organization_id, sequence, client_id, topic, subject_id, revision, data, happened_at)
        SELECT $1, 1000 + n, CASE WHEN n % 2 = 0 THEN {_client("(n / 2 % {quotes})")} END,
            CASE WHEN n % 2 = 0 THEN 'quote' ELSE 'sync_run' END,
            CASE WHEN n % 2 = 0 THEN {_id("job", "n / 2 % {quotes}")} ELSE {_id("run", "n / 40")} END, n, '{{}}', {_time()}""",
    ),
    (
        "entries",
        f"""INSERT INTO audit_entry (organization_id, sequence, client_id, happened_at, actor, event, subject_id, data, previous_hash, hash)
        SELECT $1, 1000 + n, {_client("(n % {quotes})")}, {_time()}, {_SOMEBODY}, 'quote.approved', {_id("job", "n % {quotes}")},
            '{{}}', '\\x00', '\\x00'""",
    ),
)
_STATEMENTS = _RECORDS + _TWO_WAY + _QUOTES + _WORK
