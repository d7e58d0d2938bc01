"""A small world for tests of decisions: a ServiceM8 with a quote, synced into a hub, and a client's contact who may decide it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.deliveries.models import Delivery
from app.paging import PageRequest
from app.quotes.models import Decision, Quote
from tests import factories

LINES = (("Switchboard", "1", "1500.00"), ("Labour", "2.5", "90.00"), ("Surge arrester", "3", "33.33"))
"""Description, quantity, price before tax; the account taxes at 10 %."""


@dataclass(slots=True)
class World:
    """One organization with one quote. `contact` is its client's contact and reaches nothing else."""

    hub: Hub
    sandbox: RunningSandbox
    operator: Actor
    contact: Actor
    connection: Connection
    company: str
    job: str
    quote_id: UUID

    async def quote(self, actor: Actor | None = None) -> Quote:
        return await self.hub.quotes.quote(actor or self.contact, self.quote_id)

    async def approve(self, actor: Actor | None = None, **values: Any) -> Decision:
        """Approve as the client's contact would with the quote's page just opened."""
        values = {
            "version": (await self.quote()).version,
            "lines": None,
            "signature_name": "Carla Client",
            "accept_terms": True,
            "idempotency_key": factories.key(),
        } | values
        return await self.hub.quotes.approve(actor or self.contact, self.quote_id, **values)

    async def reject(self, actor: Actor | None = None, **values: Any) -> Decision:
        values = {"version": (await self.quote()).version, "reason": "Too expensive", "idempotency_key": factories.key()} | values
        return await self.hub.quotes.reject(actor or self.contact, self.quote_id, **values)

    async def delivery(self) -> Delivery:
        found = (await self.quote()).delivery
        assert found is not None
        return found

    async def deliver(self) -> Delivery:
        """What the worker does when it is rung."""
        await self.hub.deliveries.deliver(self.operator.organization_id, (await self.delivery()).id)
        return await self.delivery()

    async def sync(self) -> None:
        run = await factories.sync(self.hub, self.operator, self.connection)
        assert run.status == "completed", run.error_message

    async def materials(self, *, active: bool = True) -> set[str]:
        """The names of the job's lines at the provider."""
        return {
            line["name"] for line in await self.sandbox.records("jobmaterial", job_uuid=self.job) if bool(int(line["active"])) is active
        }

    async def notes(self) -> list[str]:
        return [note["note"] for note in await self.sandbox.records("note") if note["related_object_uuid"] == self.job]


async def make_world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    """The whole way: company and job at the provider, connection, sync, invitation."""
    await sandbox.reset()
    operator = factories.colleague(owner, Role.OPERATOR)
    company = (await sandbox.create("company", name="Žagar & Co 🐝", address="1 High St"))["uuid"]
    job = (await sandbox.create("job", company_uuid=company, status="Quote", job_description="Replace switchboard"))["uuid"]
    for name, quantity, price in LINES:
        await sandbox.add_line(job, name=name, quantity=quantity, price=price)
    connection = await factories.make_connection(hub, operator, sandbox, delay_seconds=0)
    await factories.sync(hub, operator, connection)
    contact = await invite(hub, operator, connection, "Carla Client", company)
    (quote,) = (await hub.quotes.quotes(operator, PageRequest())).items
    return World(hub, sandbox, operator, contact, connection, company, job, quote.id)


async def invite(hub: Hub, operator: Actor, connection: Connection, name: str, company: str) -> Actor:
    """A client's contact for that company, as an actor within the client's walls."""
    contacts = await hub.records.contacts(operator, PageRequest(), connection_id=connection.id)
    (record,) = [record for record in contacts.items if record.external_id == company]
    email = f"{factories.key()}@client.test"
    invited = await hub.clients.invite(operator, contact_record_id=record.id, email=email, name=name)
    scope = Scope(operator.organization_id, invited.client_id)
    return Actor(scope, ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, name, invited.id, "198.51.100.7", "A browser")
