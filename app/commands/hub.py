"""Runs one piece of work on an opened Hub and picks the organization that it is about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.actors import Actor, system_actor
from app.bootstrap import Hub
from app.commands.servers import with_servers
from app.database import system_fetch
from app.errors import NotFound
from app.logs import configure_logs
from app.organizations.models import Organization
from app.settings import Settings

T = TypeVar("T")


def on_hub(work: Callable[[Hub], Awaitable[T]]) -> T:
    """Open the Hub with the environment's settings, do the work, close it; from the main thread."""

    async def open_and_work(settings: Settings) -> T:
        async with Hub(settings) as hub:
            return await work(hub)

    configure_logs("warning")
    with with_servers(Settings.from_environment()) as settings:
        return asyncio.run(open_and_work(settings))


async def organization_for(hub: Hub, slug: str | None) -> Organization:
    """The organization with this slug, or the only one there is. Raises NotFound with those to choose from."""
    if slug:
        return await hub.organizations.by_slug(slug)
    slugs = await all_slugs()
    if len(slugs) == 1:
        return await hub.organizations.by_slug(slugs[0])
    if not slugs:
        raise NotFound("There is no organization yet; make one with `crosswalk organization create`.")
    raise NotFound(f"Say which organization with --organization: {', '.join(slugs)}.")


async def all_slugs() -> list[str]:
    """Across organizations, as the system role may: their addresses and nothing else of them."""
    return [row["slug"] for row in await system_fetch("SELECT slug FROM organization ORDER BY slug")]


def operator_of(organization: Organization) -> Actor:
    """Whoever sits at the server's command line, in the audit log."""
    return system_actor(organization.id, "Command line")
