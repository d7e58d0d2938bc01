"""Fills the demo through the same services that people and programs use: organizations, connections, syncs, a client, links.

All of it can be done again: what is there already is used as it is.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rich.progress import Progress

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.commands.syncing import GOOD_ENDS, progress_bars, show, watch
from app.connections.models import Connection
from app.demo import clients
from app.demo.addresses import GRAPHQL_PATH, Addresses
from app.demo.content import DIRECTIONS, METAKOCKA, ORGANIZATIONS, SERVICEM8, DemoConnection, DemoOrganization
from app.demo.settings import DemoRefused
from app.demo.steps import Steps
from app.errors import NotFound, NotSignedIn
from app.organizations.models import Organization
from app.paging import PageRequest
from app.syncs.models import SyncRun

LINKS_LAST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One organization of the demo, its owner as an actor, and its connections."""

    organization: Organization
    owner: Actor
    connections: tuple[Connection, ...]


async def load(hub: Hub, steps: Steps, sandboxes: Mapping[str, str], previous: Addresses | None) -> Addresses:
    """Bring the demo's content up to date; where to find everything. `sandboxes` has the URL of each provider's."""
    with steps.step("Organizations") as step:
        loaded = [await _organization(hub, wanted, sandboxes) for wanted in ORGANIZATIONS]
        step.said = ", ".join(one.organization.name for one in loaded)
    await _sync_all(hub, steps, loaded)
    with steps.step("A client") as step:
        owner = loaded[0].owner
        contact = await clients.contact_with_open_quotes(hub, owner, loaded[0].connections[0].id)
        step.said = f"{contact.name} decides for {contact.client_name}"
        portal_url = await hub.organizations.make_link(owner, client_contact_id=contact.id, reusable=True, lifetime=LINKS_LAST)
        console_url = await hub.organizations.make_link(owner, person_id=owner.id, reusable=True, lifetime=LINKS_LAST)
    return Addresses(
        graphql_url=f"{hub.settings.public_url}{GRAPHQL_PATH}",
        token=await _token(hub, owner, previous),
        console_url=console_url,
        portal_url=portal_url,
        servicem8_sandbox_url=sandboxes[SERVICEM8],
        metakocka_sandbox_url=sandboxes[METAKOCKA],
    )


async def _organization(hub: Hub, wanted: DemoOrganization, sandboxes: Mapping[str, str]) -> Loaded:
    try:
        organization = await hub.organizations.by_slug(wanted.slug)
    except NotFound:
        organization, _ = await hub.organizations.create(
            wanted.name,
            slug=wanted.slug,
            owner_email=wanted.owner_email,
            owner_name=wanted.owner_name,
            time_zone=wanted.time_zone,
            accent_color=wanted.accent_color,
            terms=wanted.terms,
        )
    person = await hub.organizations.find_person(organization.id, wanted.owner_email)
    if person is None:
        raise DemoRefused(f"The organization {wanted.slug} is there, and {wanted.owner_email} is not of it; use --fresh.")
    owner = Actor(Scope(organization.id), ActorKind.PERSON, Role.OWNER, person.name, person.id)
    there = {one.name: one for one in (await hub.connections.list(owner, PageRequest())).items}
    connections = [await _connection(hub, owner, one, sandboxes[one.provider], there.get(one.name)) for one in wanted.connections]
    return Loaded(organization, owner, tuple(connections))


async def _connection(hub: Hub, owner: Actor, wanted: DemoConnection, sandbox_url: str, there: Connection | None) -> Connection:
    """Connected to where the sandbox listens this time, and tested by a real exchange."""
    settings = {**wanted.settings, "base_url": sandbox_url}
    if there is None:
        there = await hub.connections.create(
            owner, provider=wanted.provider, name=wanted.name, mode="sandbox", settings=settings, credentials=wanted.credentials
        )
        if wanted.both_ways:
            await hub.schedules.create(owner, there.id, name="Both ways", streams=wanted.both_ways, direction=DIRECTIONS[wanted.provider])
    elif there.settings.get("base_url") != sandbox_url:
        there = await hub.connections.update(owner, there.id, settings=settings, credentials=wanted.credentials)
    test = await hub.connections.test(owner, there.id)
    if not test.ok:
        raise DemoRefused(f"The connection {wanted.name} does not work: {test.message}")
    return await hub.connections.get(owner, there.id)


async def _sync_all(hub: Hub, steps: Steps, loaded: list[Loaded]) -> None:
    """Sync all connections at once, each in its direction; the worker does it, and the bars show how far it is."""
    wishes = [(one.owner, connection) for one in loaded for connection in one.connections]
    with progress_bars(steps.console) as progress:
        runs = await asyncio.gather(*(_sync(hub, progress, owner, connection) for owner, connection in wishes))
    for (_, connection), run in zip(wishes, runs, strict=True):
        if run.status not in GOOD_ENDS:
            raise DemoRefused(f"The sync of {connection.name} {run.status}: {run.error_message or run.message}")


async def _sync(hub: Hub, progress: Progress, owner: Actor, connection: Connection) -> SyncRun:
    bar = progress.add_task(connection.name, total=100, words="")
    run = await hub.syncs.start(owner, connection.id, direction=DIRECTIONS[connection.provider])
    return await watch(hub, owner, run, lambda seen: show(progress, bar, seen))


async def _token(hub: Hub, owner: Actor, previous: Addresses | None) -> str:
    """The token of the demo's last run if it still works here, else a new one."""
    if previous is not None:
        try:
            if (await hub.organizations.actor_for_token(previous.token)).organization_id == owner.organization_id:
                return previous.token
        except NotSignedIn:
            pass
    _, secret = await hub.organizations.create_token(owner, name="Demo", role="owner")
    return secret
