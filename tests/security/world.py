"""Two organizations with something in every table. The first has two clients; the matrix calls from the first client's side."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from app.ids import new_id
from app.paging import PageRequest
from tests import factories
from tests.security.rows import Database, Owners
from tests.security.two_way import add_conflict, add_quarantine, add_record, add_records

BROKEN = {"status": "Parked"}
"""A status that nobody knows: the job becomes a failed record."""


@dataclass(frozen=True)
class Things:
    """What an id can name, of one client in its organization. The organization's own things are the same for all its clients."""

    ids: dict[str, UUID]
    """Type → id; `OpenQuote` can be decided, `Quote` was."""
    contact_external_id: str

    def unknown(self) -> "Things":
        """Ids of nothing at all, of the same kinds; made now, since some ids are also a place to go on from."""
        return Things({kind: new_id() for kind in self.ids}, str(uuid4()))


@dataclass
class Office:
    """One organization while it is made."""

    hub: Hub
    sandbox: RunningSandbox
    owner: Actor
    connection: Connection
    contacts: list[Actor] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    things: list[Things] = field(default_factory=list)


@dataclass
class World:
    """Both organizations."""

    hub: Hub
    sandbox: RunningSandbox
    database: Database
    owner: Actor
    contact: Actor
    owners: Owners
    own: Things
    other: Things
    abroad: Things
    unknown: Things
    abroad_owner: Actor
    sync_name: str = ""
    """With its mark."""
    saved_version: int = 1
    """Of the companies' field mapping: one that can be published."""

    def scope(self, *, client: UUID | None = None) -> Scope:
        return Scope(self.owners.organization, client)

    async def put_back(self) -> None:
        """Undo what earlier calls did to things that later ones read."""
        for things in (self.own, self.other):
            await self.reopen_quote(things)
            await self.database.admin.execute(_REOPEN_CONFLICT, things.ids["Conflict"])
            await self.reopen_failed(things)
            await self.database.admin.execute(_HOLD_AGAIN, things.ids["Quarantine"])
        await self.database.admin.execute("UPDATE mapping SET archived_at = NULL WHERE id = $1", self.own.ids["Mapping"])
        for sql in _SEEN:
            await self.database.admin.execute(sql)
        sql = "UPDATE sync SET deleted_at = NULL, name = $2 WHERE id = $1"
        await self.database.admin.execute(sql, self.own.ids["Sync"], self.sync_name)

    async def reopen_quote(self, things: Things) -> None:
        """The quote that can be decided is so again."""
        for sql in _REOPEN:
            await self.database.admin.execute(sql, things.ids["OpenQuote"])

    async def reopen_failed(self, things: Things) -> None:
        """The failed record is open again, as the provider sent it."""
        await self.database.admin.execute(_REOPEN_FAILED, things.ids["FailedRecord"])

    def new_connection(self) -> dict[str, Any]:
        """What a further connection to the sandbox is made from."""
        key, url = self.sandbox.api_key, self.sandbox.url
        return {"name": secrets.token_hex(8), "mode": "sandbox", "settings": {"base_url": url}, "credentials": {"api_key": key}}


_SEEN = ("UPDATE session SET last_seen_at = '2100-01-01'", "UPDATE api_token SET last_used_at = '2100-01-01'")
"""So that no call is the one that notes it."""
_HOLD_AGAIN = "UPDATE quarantine SET status = 'held', decided_by = NULL, decided_at = NULL, next_attempt_at = NULL WHERE id = $1"
_REOPEN_CONFLICT = "UPDATE conflict SET resolution = NULL, value = NULL, resolved_by = NULL, resolved_at = NULL WHERE id = $1"
_REOPEN_FAILED = """
    UPDATE failed_record SET resolved_at = NULL, dismissed_at = NULL, dismissed_by = NULL, dismissed_reason = NULL,
        edited_payload = NULL, edited_by = NULL, edited_at = NULL
    WHERE id = $1
"""
_REOPEN = (
    "DELETE FROM delivery WHERE quote_id = $1",
    "DELETE FROM quote_decision WHERE quote_id = $1",
    "UPDATE quote SET status = 'open' WHERE id = $1",
    "UPDATE quote_line SET decision = 'pending' WHERE quote_id = $1",
)


async def make_world(hub: Hub, sandbox: RunningSandbox, database: Database) -> World:
    office, abroad = await _make_office(hub, sandbox, clients=2), await _make_office(hub, sandbox, clients=1)
    own, other = (contact.scope.client_id for contact in office.contacts)
    assert own
    assert other
    world = World(
        hub=hub,
        sandbox=sandbox,
        database=database,
        owner=office.owner,
        contact=office.contacts[0],
        owners=Owners(office.owner.organization_id, own, other),
        own=office.things[0],
        other=office.things[1],
        abroad=abroad.things[0],
        unknown=abroad.things[0].unknown(),
        abroad_owner=abroad.owner,
    )
    await database.plant(world.owners)
    world.sync_name = await database.admin.fetchval("SELECT name FROM sync WHERE id = $1", world.own.ids["Sync"])
    return world


async def _make_office(hub: Hub, sandbox: RunningSandbox, *, clients: int) -> Office:
    await sandbox.reset()
    owner = await factories.make_organization(hub, terms="Payment within 14 days.")
    connection = await factories.make_connection(hub, owner, sandbox, delay_seconds=0)
    office = Office(hub, sandbox, owner, connection)
    for number in range(clients):
        await _add_company(office, number)
    await sandbox.create("job", company_uuid=office.companies[0], job_description="Nobody knows where this stands", **BROKEN)
    await factories.sync(hub, owner, connection)
    for number, company in enumerate(office.companies):
        await _invite(office, company, number)
    await _change_and_sync(office)
    shared = await _organization_things(office)
    shared |= await add_records(hub, owner, connection.id, sandbox.url)
    shared["Quarantine"] = await add_quarantine(owner.scope, connection.id, shared["SyncRun"], office.companies[0])
    for company, contact in zip(office.companies, office.contacts, strict=True):
        office.things.append(await _client_things(office, company, contact, shared))
    await _two_way_things(office, shared)
    await signed_in(hub, owner, person_id=owner.id)
    return office


async def _add_company(office: Office, number: int) -> None:
    sandbox = office.sandbox
    company = (await sandbox.create("company", name=f"Company {number}", address="1 High St"))["uuid"]
    await sandbox.create("companycontact", company_uuid=company, first="Petra", last=f"Person {number}", email="petra@company.test")
    for title in ("Decided", "Open"):
        job = await sandbox.create("job", company_uuid=company, status="Quote", job_description=f"{title} {number}", job_address="2 Low St")
        for name in ("Switchboard", "Labour"):
            await sandbox.add_line(job["uuid"], name=name, quantity="1", price="100")
    office.companies.append(company)


async def _invite(office: Office, company: str, number: int) -> None:
    record = await _contact(office, company)
    email = f"{secrets.token_hex(6)}@client.test"
    invited = await office.hub.clients.invite(
        office.owner, contact_record_id=record, email=email, name=f"Carla {number}", idempotency_key=factories.key()
    )
    await office.hub.clients.add_site(office.owner, invited.client_id, name=f"Depot {number}", address="3 Side St")
    scope = Scope(office.owner.organization_id, invited.client_id)
    office.contacts.append(Actor(scope, ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, f"Carla {number}", invited.id, "198.51.100.7", "x"))


async def _contact(office: Office, company: str) -> UUID:
    found = await office.hub.records.contacts(office.owner, PageRequest())
    return next(record.id for record in found.items if record.external_id == company)


async def _change_and_sync(office: Office) -> None:
    """So that records have a past."""
    for company in office.companies:
        await office.sandbox.edit("company", company, address="9 New St")
    await factories.sync(office.hub, office.owner, office.connection, mode="full")


async def _organization_things(office: Office) -> dict[str, UUID]:
    hub, owner, connection = office.hub, office.owner, office.connection
    sync = await hub.schedules.create(owner, connection.id, name="Nightly", streams=["companies"], schedule="0 2 * * *")
    token, _ = await hub.organizations.create_token(owner, name="A program", role="viewer")
    run = (await hub.syncs.runs(owner, PageRequest())).items[0]
    failed = (await hub.failed_records.failed_records(owner, PageRequest())).items[0]
    return {
        "ApiToken": token.id,
        "Connection": connection.id,
        "FailedRecord": failed.id,
        "Organization": owner.organization_id,
        "Plan": new_id(),
        "PlanItem": new_id(),
        "Sync": sync.id,
        "SyncRun": run.id,
    }


async def _two_way_things(office: Office, shared: dict[str, UUID]) -> None:
    """A row of each table that only writing back fills."""
    scope, connection_id, company = office.owner.scope, office.connection.id, office.companies[0]
    record_id = await _contact(office, company)
    rows: dict[str, dict[str, Any]] = {
        "stream_policy": {"updated_by": "Olive Owner"},
        "field_mapping": {"version": 1, "rows": [], "created_by": "Olive Owner"},
    }
    of_stream = {"connection_id": connection_id, "stream": "companies"}
    rows = {table: {**of_stream, **values} for table, values in rows.items()}
    merge = {"id": new_id(), "survivor_id": record_id, "loser_id": record_id, "loser_version": 1, "merged_by": "Olive Owner"}
    rows["record_merge"] = {**merge, "changes": {}, "followers": [], "moved": {}}
    rows |= _plan_rows(connection_id, record_id, company, shared)
    async with transaction(scope):
        for table, values in rows.items():
            named = {"organization_id": scope.organization_id, **values}
            places = ", ".join(f"${place}" for place in range(1, len(named) + 1))
            await execute(scope, f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", *named.values())


def _plan_rows(connection_id: UUID, record_id: UUID, company: str, shared: dict[str, UUID]) -> dict[str, dict[str, Any]]:
    plan_id, run_id, of_stream = shared["Plan"], shared["SyncRun"], {"stream": "companies"}
    plan = {"id": plan_id, "connection_id": connection_id, "kind": "undo", "run_id": run_id, "undoes_run_id": run_id}
    item = {
        "id": shared["PlanItem"],
        "record_stream": "companies",
        "direction": "pull",
        "kind": "update",
        "key": company,
        "record_id": record_id,
    }
    part = {"kind": "companycontact", "external_id": company, "parent_id": company, "payload": b"{}"}
    return {
        "plan": {**plan, "requested_by": "Olive Owner"},
        "plan_item": {"plan_id": plan_id, **of_stream, **item, "fields": {"name": {"before": "Company", "after": "Company & sons"}}},
        "plan_part": {"plan_id": plan_id, **of_stream, **part},
    }


async def _client_things(office: Office, company: str, contact: Actor, shared: dict[str, UUID]) -> Things:
    hub, owner = office.hub, office.owner
    quotes = {quote.title.split()[0]: quote for quote in (await hub.quotes.quotes(contact, PageRequest())).items}
    decided, opened = quotes["Decided"], quotes["Open"]
    await hub.quotes.approve(
        contact,
        decided.id,
        version=decided.version,
        lines=None,
        signature_name=contact.name,
        accept_terms=True,
        note="Please call before",
        idempotency_key=factories.key(),
    )
    whole = await hub.quotes.quote(contact, decided.id)
    lines = (await hub.quotes.lines_of(owner, [opened.id]))[opened.id]
    assert whole.delivery
    assert contact.scope.client_id
    record, connection_id = await _contact(office, company), office.connection.id
    document = {"kind": "offer", "contact_external_id": company, "contact_name": contact.name, "notes": "Please call before"}
    per_client = {
        "Client": contact.scope.client_id,
        "Conflict": await add_conflict(owner.scope, connection_id, record, company, "email"),
        "Contact": record,
        "SalesDocument": await add_record(owner.scope, connection_id, "sales_document", document),
        "Delivery": whole.delivery.id,
        "Job": decided.id,
        "LeftOutLine": lines[1].id,
        "OpenLine": lines[0].id,
        "OpenQuote": opened.id,
        "Quote": decided.id,
        "QuoteLine": whole.lines[0].id,
    }
    return Things(shared | per_client, company)


async def signed_in(hub: Hub, owner: Actor, **whose: Any) -> dict[str, str]:
    """The headers of a browser at one of the hub's own pages."""
    link = await hub.organizations.make_link(owner, **whose)
    cookie = (await hub.organizations.use_link(link.rpartition("/")[2], ip="192.0.2.7", user_agent="A browser")).cookie
    return {"Cookie": f"crosswalk_session={cookie}", "Sec-Fetch-Site": "same-origin"}
