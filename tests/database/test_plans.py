"""Nothing scans what an index could find: the plans of every read, among a million rows, as the application's role.

The statements are those that are sent while named operations and services are asked, wherever they are made: a new file in
graphql/operations is judged as soon as it has its line here. Each is asked by an organization that holds most of all
rows, by one that holds few, and by one that came after the tables were last analyzed: Postgres takes it for one without rows.
"""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from app import database, embedded, migrations
from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.feed import repository as feed
from app.feed.models import Interest
from app.main import create_app
from app.mappings import links
from app.mappings import parts as parts_store
from app.mappings import repository as mappings
from app.paging import PageRequest, encode_cursor
from app.quotes.models import QuoteStatus
from app.settings import Secret, Settings
from app.syncs import failures, reconciliation
from app.syncs.statistics import StatisticsService
from tests.api.client import GraphQLClient, gid
from tests.api.conftest import make_token
from tests.api.operations import run
from tests.api.test_operations import READS
from tests.conftest import Servers
from tests.database.plans import MOST, Judge, Statement, noted, rows, thrown_away, walk
from tests.database.rows import Filled, fill
from tests.factories import make_organization
from tests.security.conftest import in_database

ROWS = 1_000_000
SHARES = (0.85, 0.06, 0.05, 0.038, 0.002)
"""Of all rows, by organization."""
NEWCOMER = 0.03
"""So many come with an organization that no statistics know of: too few for Postgres to analyze the tables again."""


@dataclass(frozen=True)
class Asker:
    """An organization, and who asks in it."""

    hub: Hub
    owner: Actor
    api: GraphQLClient
    filled: Filled

    @property
    def scope(self) -> Scope:
        return self.owner.scope

    def connection(self, number: int = 0) -> UUID:
        return self.filled.id("connection", number)

    def contact(self, client: int) -> Actor:
        """Somebody at a client; client 0 has a quarter of the quotes."""
        inside = Scope(self.owner.organization_id, self.filled.id("client", client))
        person = self.filled.id("client_contact", client)
        return Actor(inside, ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, "Carla Client", person)


@dataclass(frozen=True)
class Id:
    """A variable: the id of one of the asker's things."""

    type_name: str
    kind: str
    number: int = 0

    def __call__(self, asker: Asker) -> str:
        return gid(self.type_name, asker.filled.id(self.kind, self.number))

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class Middle:
    """A variable: the cursor of the middle of a list."""

    kind: str
    of: str

    def __call__(self, asker: Asker) -> str:
        return encode_cursor(asker.filled.id(self.kind, asker.filled.counts[self.of] // 2))

    def __str__(self) -> str:
        return "the middle"


Read = Callable[[Asker], Awaitable[object]]


def named(operation: str, **variables: Any) -> tuple[str, Read]:
    """A named operation, and what to call it here."""

    async def read(asker: Asker) -> object:
        return await run(asker.api, operation, **{name: _value(value, asker) for name, value in variables.items()})

    return ", ".join([operation, *(f"{name}={_title(value)}" for name, value in variables.items())]), read


def _title(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(str(each) for each in value)
    return "..." if len(str(value)) > 20 else str(value)


def _value(value: Any, asker: Asker) -> Any:
    if isinstance(value, list):
        return [_value(each, asker) for each in value]
    return value(asker) if isinstance(value, Id | Middle) else value


CONNECTION, OTHER_CONNECTION = Id("Connection", "connection"), Id("Connection", "connection", 3)
LEAST_ID = "00000000-0000-0000-0000-000000000000"

_PREVIEW = {"connectionId": CONNECTION, "stream": "companies", "rows": [{"target": "name", "path": "name"}]}

OPERATIONS = (
    named("api_tokens"),
    named("audit_entries"),
    named("audit_entries", subjectId=Id("Quote", "job", 7)),
    named("audit_entries", after=encode_cursor(9000)),
    named("clients"),
    named("clients", after=encode_cursor(["Client 5", LEAST_ID])),
    named("conflict", id=Id("Conflict", "conflict", 3)),
    named("conflicts"),
    named("conflicts", after=Middle("conflict", "conflicts")),
    named("conflicts", openOnly=False),
    named("conflicts", connectionId=OTHER_CONNECTION),
    named("conflicts", connectionId=CONNECTION, openOnly=False),
    named("conflicts", recordId=Id("Contact", "contact", 5)),
    named("conflicts", recordId=Id("Contact", "contact", 5), openOnly=False),
    named("connection", id=CONNECTION),
    named("connections"),
    named("connectors"),
    named("connection_statistics", connectionId=CONNECTION),
    named("contact", id=Id("Contact", "contact", 5)),
    named("contact_history", id=Id("Contact", "contact", 5), time="2026-02-01T00:00:00Z"),
    named("contact_merges", contactId=Id("Contact", "contact", 5)),
    named("contacts"),
    named("contacts", after=encode_cursor(["company 5", LEAST_ID])),
    named("contacts", connectionId=OTHER_CONNECTION),
    named("contacts", search="company 0079"),
    named("contacts", search="c"),
    named("contacts", search="COMPANY", after=encode_cursor(["company 5", LEAST_ID])),
    named("contacts", connectionId=OTHER_CONNECTION, search="company 00"),
    named("deliveries"),
    named("deliveries", status="FAILED"),
    named("deliveries", status="QUEUED"),
    named("deliveries", quoteId=Id("Quote", "job", 6)),
    named("deliveries", after=Middle("delivery", "decisions")),
    named("duplicates"),
    named("duplicates", by="EMAIL", connectionId=OTHER_CONNECTION),
    named("failed_record", id=Id("FailedRecord", "failed", 3)),
    named("failed_record_causes"),
    named("failed_record_causes", connectionId=OTHER_CONNECTION, stream="companies"),
    named("failed_record_payload", id=Id("FailedRecord", "failed", 3)),
    named("failed_records"),
    named("failed_records", connectionId=CONNECTION, stream="companies", cause="A field is wrong."),
    named("failed_records", state="DISMISSED"),
    named("failed_records", state=None, after=Middle("failed", "failed")),
    named("failed_records", connectionId=OTHER_CONNECTION),
    named("failed_records", connectionId=OTHER_CONNECTION, state=None),
    named("failed_records", state=None, syncRunId=Id("SyncRun", "run", 3)),
    named("jobs_of_contact", contactId=Id("Contact", "contact", 0)),
    named("jobs_of_contact", contactId=Id("Contact", "contact", 5)),
    named("jobs_of_contact", contactId=Id("Contact", "contact", 0), status="UNSUCCESSFUL"),
    named("field_mapping", connectionId=CONNECTION, stream="companies"),
    named("field_mapping_back_test", **_PREVIEW),
    named("field_mapping_changes", connectionId=CONNECTION, stream="companies", before=0, after=0),
    named("field_mapping_preview", **_PREVIEW),
    named("field_mapping_versions", connectionId=CONNECTION, stream="companies"),
    named("inventory_levels"),
    named("inventory_levels", connectionId=Id("Connection", "connection", 1)),
    named("live_cursor"),
    named("mappings"),
    named("mappings", status="FAILED"),
    named("mappings", connectionId=OTHER_CONNECTION),
    named("mappings", connectionId=CONNECTION, status="FAILED"),
    named("mappings", after=Middle("mapping", "jobs")),
    named("mappings", recordId=Id("Contact", "contact", 0)),
    named("mappings", externalId="company-5"),
    named("mappings", externalId="partner-5", connectionId=Id("Connection", "connection", 1)),
    named("merge_preview", survivorId=Id("Contact", "contact", 5), loserId=Id("Contact", "contact", 6)),
    named("node", id=Id("Quote", "job", 7)),
    named("node", id=Id("Job", "job", 7)),
    named("nodes", ids=[Id("Quote", "job", 7), Id("SyncRun", "run", 7), CONNECTION]),
    named("organization"),
    named("orphan_counts"),
    named("orphaned_mappings"),
    named("orphaned_mappings", connectionId=OTHER_CONNECTION, kind="OBJECT_DELETED"),
    named("plan", id=Id("Plan", "plan", 5)),
    named("plan_items", planId=Id("Plan", "plan", 0)),
    named("plan_items", planId=Id("Plan", "plan", 0), after=Middle("item", "items")),
    named("plan_items", planId=Id("Plan", "plan", 0), kind="DELETE"),
    named("plan_items", planId=Id("Plan", "plan", 5)),
    named("plans"),
    named("plans", connectionId=OTHER_CONNECTION),
    named("plans", undoesRunId=Id("SyncRun", "run", 1)),
    named("products"),
    named("products", search="product 0079"),
    named("products", connectionId=Id("Connection", "connection", 1), search="p"),
    named("provider_calls", connectionId=CONNECTION),
    named("provider_calls", connectionId=CONNECTION, syncRunId=Id("SyncRun", "run", 0)),
    named("quarantine", id=Id("Quarantine", "quarantine", 3)),
    named("quarantined_deletions", quarantineId=Id("Quarantine", "quarantine", 3)),
    named("quarantines"),
    named("quarantines", openOnly=False),
    named("quarantines", connectionId=CONNECTION),
    named("quote", id=Id("Quote", "job", 6)),
    named("quote_totals", quoteId=Id("Quote", "job", 6), lineIds=[Id("QuoteLine", "line", 30)]),
    named("quotes"),
    named("quotes", after=Middle("job", "quotes")),
    named("quotes", status="OPEN"),
    named("quotes", status="EXPIRED"),
    named("quotes", status="PARTIALLY_APPROVED"),
    named("quotes", clientId=Id("Client", "client", 0)),
    named("quotes", clientId=Id("Client", "client", 5)),
    named("quotes", clientId=Id("Client", "client", 0), status="PARTIALLY_APPROVED"),
    named("quotes", clientId=Id("Client", "client", 0), status="OPEN"),
    named("quotes", clientId=Id("Client", "client", 0), status="EXPIRED"),
    named("quotes_of_contact", contactExternalId="company-5"),
    named("quotes_of_contact", contactExternalId="company-0", connectionId=CONNECTION),
    named("reconciliations", connectionId=CONNECTION, stream="companies"),
    named("reconciliations", connectionId=CONNECTION, stream="companies", after=encode_cursor(UUID(int=2**127))),
    named("sales_document", id=Id("SalesDocument", "document", 7)),
    named("sales_documents"),
    named("sales_documents", after=Middle("document", "documents")),
    named("sales_documents", kind="CREDIT_NOTE"),
    named("sales_documents", kind="ORDER"),
    named("sales_documents", connectionId=OTHER_CONNECTION),
    named("sales_documents", connectionId=Id("Connection", "connection", 1), kind="OFFER"),
    named("sales_documents", contactId=Id("Contact", "contact", 0)),
    named("sales_documents", contactId=Id("Contact", "contact", 5)),
    named("schedule_preview", schedule="0 2 * * *", timeZone="UTC"),
    named("stream_policy", connectionId=CONNECTION, stream="companies"),
    named("sync_run", id=Id("SyncRun", "run", 5)),
    named("sync_runs"),
    named("sync_runs", status="FAILED"),
    named("sync_runs", status="RUNNING"),
    named("sync_runs", connectionId=OTHER_CONNECTION),
    named("sync_runs", connectionId=CONNECTION, status="FAILED"),
    named("sync_status", connectionId=CONNECTION),
    named("syncs", connectionId=CONNECTION),
    named("unmapped_fields", connectionId=CONNECTION, stream="companies"),
    named("unsynced_objects", connectionId=CONNECTION, stream="companies"),
    named("unsynced_records", connectionId=OTHER_CONNECTION, stream="companies"),
    named("viewer"),
)
PAGE = range(200)
PARTIALLY = QuoteStatus.PARTIALLY_APPROVED
_IN_JANUARY = StatisticsService(lambda: datetime(2026, 1, 20, tzinfo=UTC))
"""Asked while all that `fill` makes was new."""


def _following(scope: Scope, topic: str, subject_id: UUID | None = None) -> Interest:
    return Interest(scope, frozenset([topic]), subject_id)


def mapping_by_record(of: Asker) -> Awaitable[object]:
    return of.hub.records.mappings(of.owner, PageRequest(), record_id=of.filled.id("contact", 5))


def mapping_by_external_id(of: Asker) -> Awaitable[object]:
    return of.hub.records.mappings(of.owner, PageRequest(), connection_id=of.connection(1), external_id="partner-5")


SERVICES: tuple[tuple[str, Read], ...] = (
    ("quotes of a big client", lambda of: of.hub.quotes.quotes(of.contact(0), PageRequest())),
    ("quotes of a small client", lambda of: of.hub.quotes.quotes(of.contact(5), PageRequest())),
    ("a quote of a client", lambda of: of.hub.quotes.quote(of.contact(5), of.filled.quote(5))),
    ("quotes of a client that stand somewhere", lambda of: of.hub.quotes.quotes(of.contact(0), PageRequest(), status=PARTIALLY)),
    ("how many quotes a client has", lambda of: of.hub.quotes.count(of.contact(5))),
    ("lines of a client's quotes", lambda of: of.hub.quotes.lines_of(of.contact(0), [of.filled.quote(4 * n) for n in range(50)])),
    ("deliveries of a client", lambda of: of.hub.deliveries.deliveries(of.contact(5), PageRequest())),
    ("how objects are known", lambda of: mappings.known(of.scope, of.connection(), "companies", [f"company-{n}" for n in PAGE])),
    ("payloads of objects", lambda of: mappings.payloads(of.scope, of.connection(), "jobs", [f"job-{n}" for n in PAGE])),
    ("parts of objects", lambda of: parts_store.parts_of(of.scope, of.connection(), "jobs", [f"job-{n}" for n in PAGE])),
    ("how many failed records are open", lambda of: of.hub.failed_records.open_count(of.owner)),
    ("how many deletions are held", lambda of: of.hub.quarantine.held_count(of.owner)),
    ("failed records to try again", lambda of: failures.open_failures(of.scope, of.connection(3))),
    (
        "failed records among objects",
        lambda of: failures.open_payloads(of.scope, of.connection(3), "companies", [f"broken-{n}" for n in PAGE]),
    ),
    ("statistics of days after all that happened", lambda of: of.hub.statistics.by_day(of.owner, of.connection())),
    ("statistics of the days of all that happened", lambda of: _IN_JANUARY.by_day(of.owner, of.connection(), days=60)),
    ("statistics of a small connection", lambda of: _IN_JANUARY.by_day(of.owner, of.connection(3), days=60)),
    ("statistics in total", lambda of: of.hub.statistics.total(of.owner, of.connection())),
    ("the mapping of a record", mapping_by_record),
    ("the mapping of a provider's id", mapping_by_external_id),
    ("documents that failed somewhere", lambda of: of.hub.records.documents_standing(of.owner, PageRequest(), "failed")),
    ("orders that wait nowhere", lambda of: of.hub.records.documents_standing(of.owner, PageRequest(), "pending", kind="order")),
    ("documents that are in step", lambda of: of.hub.records.documents_standing(of.owner, PageRequest(), "synced")),
    (
        "documents that failed at a small connection",
        lambda of: of.hub.records.documents_standing(of.owner, PageRequest(), "failed", connection_id=of.connection(3)),
    ),
    ("how many conflicts wait", lambda of: of.hub.conflicts.count_open(of.owner, 100)),
    (
        "how many conflicts of a small connection wait",
        lambda of: of.hub.conflicts.count_open(of.owner, 100, connection_id=of.connection(3)),
    ),
    ("the fields that conflicts wait in", lambda of: of.hub.conflicts.open_fields(of.owner)),
    ("the contacts that may be one", lambda of: of.hub.duplicates.of(of.owner, of.filled.id("contact", 5))),
    ("what waits for a connection", lambda of: of.hub.counterparts.waiting(of.owner, of.connection())),
    ("what changed lately at several connections", lambda of: _IN_JANUARY.activity(of.owner, [of.connection(), of.connection(3)])),
    (
        "the latest comparisons",
        lambda of: of.hub.reconciliations.latest_of(of.owner, [(of.connection(), "companies"), (of.connection(3), "x")]),
    ),
    ("the comparisons of runs", lambda of: of.hub.reconciliations.of_runs(of.owner, [of.filled.id("run", n) for n in range(50)])),
    ("the latest events", lambda of: feed.newest(of.scope, 900 + of.filled.counts["events"])),
    ("the latest events of quotes", lambda of: feed.read(_following(of.scope, "quote"), 900 + of.filled.counts["events"])),
    ("events of one quote", lambda of: feed.read(_following(of.scope, "quote", of.filled.quote(3)), 0)),
    ("events of one run", lambda of: feed.read(_following(of.scope, "sync_run", of.filled.id("run", 3)), 0)),
    ("a client's events from the first", lambda of: feed.read(_following(of.contact(5).scope, "quote"), 0)),
    ("a big client's events from the first", lambda of: feed.read(_following(of.contact(0).scope, "quote"), 0)),
)


WALKS: tuple[tuple[str, Read], ...] = (
    ("what one side lacks", lambda of: reconciliation.compare_objects(of.scope, of.filled.id("run", 3), of.connection(), "companies")),
    ("records that moved on", lambda of: reconciliation.moved_on(of.scope, of.connection(), "companies", None)),
    ("mappings that wait", lambda of: links.waiting(of.scope, of.connection(), "companies", None, 500)),
    (
        "records that a connection does not have",
        lambda of: links.unmapped(of.scope, of.connection(3), "companies", "contact", [], None, 500),
    ),
)
"""They look at all there is, once."""

_EXPIRED = "Nothing is written when a quote expires: both are `open`, and the time tells them apart row by row."
_NEWEST = (
    "The newest objects of a stream are found by walking back over those of its connection; an index by stream would slow every first sync"
    " for what somebody asks for now and then."
)
_ALIKE = "Whether a value comes twice is known only when it is looked at: an index is walked in its order until a page of groups is found."
KNOWN = {
    "duplicates": _ALIKE,
    "duplicates, by=EMAIL, connectionId=connection 3": _ALIKE,
    named("field_mapping_back_test", **_PREVIEW)[0]: _NEWEST,
    named("field_mapping_preview", **_PREVIEW)[0]: _NEWEST,
    named("unmapped_fields", connectionId=CONNECTION, stream="companies")[0]: _NEWEST,
    "failed_records, connectionId=connection 3, state=None": "An index of all failed records of a connection would be taken"
    " for looking single ones up as well, and then read as a whole for each; open ones have theirs.",
    "quotes, clientId=client 0, status=OPEN": _EXPIRED,
    "quotes, clientId=client 0, status=EXPIRED": _EXPIRED,
    "a big client's events from the first": "Whoever is more than 1,000 events behind gets the latest of each subject: all are looked at.",
}
"""What scans all the same, and why. A case that no longer does fails until it is taken off this list."""


@pytest.fixture(scope="module")
async def askers(servers: Servers, settings: Settings, data_dir: Path) -> AsyncIterator[tuple[Asker, ...]]:
    """In a database of their own: who owns most of its rows, who owns fewest, and who is new."""
    async with _another_database(_superuser(servers, data_dir)) as name, _beside_another_hub():
        url = Secret(in_database(servers.app_url, name))
        async with Hub(replace(settings, database_url=url, database_connections=1)) as hub:
            found = await _fill(hub, SHARES)
            await _analyze(in_database(_superuser(servers, data_dir), name))
            found += await _fill(hub, [NEWCOMER], first=len(SHARES))
            transport = httpx.ASGITransport(create_app(hub), client=("192.0.2.9", 5000))
            async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
                tokens = [await make_token(hub, owner, "owner") for owner, _ in found]
                all_of_them = [
                    Asker(hub, owner, GraphQLClient(http, token), filled) for (owner, filled), token in zip(found, tokens, strict=True)
                ]
                yield all_of_them[0], all_of_them[len(SHARES) - 1], all_of_them[-1]


def _superuser(servers: Servers, data_dir: Path) -> str:
    """The login that makes databases."""
    if "CROSSWALK_TEST_DATABASE_URL" in os.environ:
        return servers.owner_url
    return embedded.attach(data_dir / "servers").admin_url


async def _fill(hub: Hub, shares: Sequence[float], first: int = 0) -> list[tuple[Actor, Filled]]:
    found = []
    for place, share in enumerate(shares, first):
        owner = await make_organization(hub)
        found.append((owner, await fill(owner.scope, rows=int(ROWS * share), first=place * ROWS)))
    return found


@asynccontextmanager
async def _another_database(admin_url: str) -> AsyncIterator[str]:
    name = f"crosswalk_plans_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        await migrations.migrate(in_database(admin_url, name))
        yield name
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def _beside_another_hub() -> AsyncIterator[None]:
    before, database._engine = database._engine, None
    try:
        yield
    finally:
        database._engine = before


async def _analyze(admin_url: str) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


@pytest.fixture(scope="module")
async def judge(askers: tuple[Asker, ...], servers: Servers) -> AsyncIterator[Judge]:
    opened = await Judge.open(in_database(servers.app_url, await database.fetch_value(askers[0].scope, "SELECT current_database()")))
    yield opened
    await opened.connection.close()


async def _statements(asker: Asker, read: Read) -> list[Statement]:
    await read(asker)  # a token's first use is written down
    with noted() as statements:
        await read(asker)
    assert statements, "Nothing was read."
    return statements


async def _complaints(judge: Judge, asker: Asker, read: Read) -> list[str]:
    statements = await _statements(asker, read)
    return [sentence for statement in statements for sentence in await judge.complaints(statement)]


def test_every_reading_operation_is_looked_at():
    assert {title.split(",")[0] for title, _ in OPERATIONS} == set(READS)
    assert KNOWN.keys() <= {title for title, _ in (*OPERATIONS, *SERVICES)}


async def test_there_are_a_million_rows(judge: Judge, askers: tuple[Asker, ...]):
    assert sum(size for size in judge.sizes.values() if size > 0) >= ROWS


def _cases() -> list[Any]:
    return [
        pytest.param(read, id=title, marks=pytest.mark.xfail(strict=True, reason=KNOWN[title]) if title in KNOWN else ())
        for title, read in (*OPERATIONS, *SERVICES)
    ]


@pytest.mark.parametrize("read", [pytest.param(read, id=title) for title, read in (*OPERATIONS, *SERVICES, *WALKS)])
async def test_nothing_is_read_again_and_again_in_an_organization_that_no_statistics_know(
    judge: Judge, askers: tuple[Asker, ...], read: Read
):
    *_, newcomer = askers
    statements = await _statements(newcomer, read)

    found = [sentence for statement in statements for sentence in await judge.repetitions(statement, int(ROWS * NEWCOMER))]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("read", _cases())
async def test_nothing_scans_what_an_index_could_find(judge: Judge, askers: tuple[Asker, ...], read: Read):
    found = [sentence for asker in askers[:2] for sentence in await _complaints(judge, asker, read)]

    assert found == [], "\n".join(found)


async def test_statistics_of_days_read_nothing_of_earlier_days(judge: Judge, askers: tuple[Asker, ...]):
    asker = askers[0]
    with noted() as statements:
        await asker.hub.statistics.by_day(asker.owner, asker.connection())
    (statement,) = statements

    for plan in await judge.plans(statement):
        assert max(rows(node) + thrown_away(node) for node, _ in walk(plan)) <= MOST


@pytest.mark.requirement("MKC-26")
@pytest.mark.parametrize(("read", "column"), [(mapping_by_record, "record_id"), (mapping_by_external_id, "external_id")])
async def test_a_mapping_is_looked_up_by_an_index_from_either_side(judge: Judge, askers: tuple[Asker, ...], read: Read, column: str):
    asker = askers[0]
    with noted() as statements:
        await read(asker)
    (statement,) = [one for one in statements if "FROM mapping" in one.sql]

    for plan in await judge.plans(statement):
        conditions = [str(node.get("Index Cond")) for node, _ in walk(plan) if "Index" in node["Node Type"]]
        assert any(f"({column} = " in condition for condition in conditions), plan
