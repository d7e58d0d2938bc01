"""Makes what a test needs. A factory names what matters and fills in the rest."""

import asyncio
import secrets
from typing import Any

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.ids import new_id
from app.syncs.models import SyncRun


async def make_organization(hub: Hub, name: str = "Brightwater Electrical", **values: Any) -> Actor:
    """A new organization; its owner as an actor."""
    slug = f"org-{secrets.token_hex(6)}"
    organization, person = await hub.organizations.create(
        name, slug=slug, owner_email=f"owner@{slug}.test", owner_name="Olive Owner", **values
    )
    return Actor(Scope(organization.id), ActorKind.PERSON, Role.OWNER, person.name, person.id, "192.0.2.7", "pytest")


def colleague(owner: Actor, role: Role) -> Actor:
    """Somebody else of the owner's organization."""
    return Actor(owner.scope, ActorKind.PERSON, role, f"Some {role}", None, "192.0.2.8", "pytest")


async def make_connection(hub: Hub, actor: Actor, sandbox: RunningSandbox, *, api_key: str | None = None, **values: Any) -> Connection:
    """A tested connection to the sandbox."""
    connection = await hub.connections.create(
        actor,
        provider="servicem8",
        name=values.pop("name", f"ServiceM8 {secrets.token_hex(3)}"),
        mode="sandbox",
        settings={"base_url": sandbox.url} | values,
        credentials={"api_key": api_key or sandbox.api_key},
        idempotency_key=secrets.token_hex(8),
    )
    result = await hub.connections.test(actor, connection.id)
    assert result.ok, result.message
    return await hub.connections.get(actor, connection.id)


async def sync(hub: Hub, actor: Actor, connection: Connection, **values: Any) -> SyncRun:
    """Start a run and advance it in this process until it has ended or waits."""
    run = await hub.syncs.start(actor, connection.id, **values)
    return await finish(hub, actor, run)


async def finish(hub: Hub, actor: Actor, run: SyncRun) -> SyncRun:
    """Advance a run until it has ended or cannot go on now."""
    for _ in range(200):
        revision = run.revision
        await hub.syncs.advance(actor.organization_id, run.id)
        run = await hub.syncs.run(actor, run.id)
        if not run.status.is_active or run.revision == revision:
            break
    return run


async def ended(hub: Hub, actor: Actor, run: SyncRun, *, seconds: float = 60) -> SyncRun:
    """Advance a run until it has ended, also when a worker in the background took it and has it in hand."""
    async with asyncio.timeout(seconds):
        while (run := await finish(hub, actor, run)).status.is_active:
            await asyncio.sleep(0.05)
    return run


def key() -> str:
    """An idempotency key that nobody used."""
    return new_id().hex
