"""What an administrator does at the command line: organizations, people's links, API tokens, the audit log, the schema."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.bootstrap import Hub
from app.commands.hub import all_slugs, operator_of, organization_for
from app.connectors.base import Connector
from app.connectors.registry import find_connectors
from app.errors import NotFound


async def create_organization(hub: Hub, name: str, *, slug: str, owner_email: str, owner_name: str, time_zone: str) -> str:
    """A new organization; the address of its owner's first sign-in link."""
    organization, owner = await hub.organizations.create(
        name, slug=slug, owner_email=owner_email, owner_name=owner_name, time_zone=time_zone
    )
    return await hub.organizations.make_link(operator_of(organization), person_id=owner.id)


async def create_token(hub: Hub, slug: str | None, *, name: str, role: str, days: int | None) -> str:
    """A new API token's secret; it is shown this once."""
    organization = await organization_for(hub, slug)
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    _, secret = await hub.organizations.create_token(operator_of(organization), name=name, role=role, expires_at=expires_at)
    return secret


async def sign_in_link(hub: Hub, slug: str | None, email: str) -> str:
    """The address of a new link with which this person of the organization signs in at the console, once."""
    organization = await organization_for(hub, slug)
    person = await hub.organizations.find_person(organization.id, email)
    if person is None:
        raise NotFound(f"Nobody of {organization.name} has the address {email}.")
    return await hub.organizations.make_link(operator_of(organization), person_id=person.id)


async def verify_audit(hub: Hub, slug: str | None) -> tuple[list[str], bool]:
    """A line for each organization (or the one named), and whether every chain is whole."""
    lines, whole = [], True
    for each in [slug] if slug else await all_slugs():
        organization = await hub.organizations.by_slug(each)
        verdict = await hub.audit.verify(organization.id)
        whole = whole and verdict.ok
        lines.append(f"{each}: {verdict.message} ({verdict.entries:,} entries in order)")
    return lines, whole


def connector_lines() -> list[str]:
    """What each connector reads and does."""
    return [line for connector in find_connectors().values() for line in _described(connector)]


def _described(connector: Connector) -> list[str]:
    versions = ", ".join(each.name + (f" until {each.end_of_life}" if each.end_of_life else "") for each in connector.api_versions)
    return [
        f"{connector.provider}: {connector.title} ({versions}). {connector.description}",
        f"    reads    {', '.join(connector.streams)}",
        f"    does     {', '.join(connector.actions) or 'nothing'}",
    ]


def export_schema(path: Path, *, check: bool) -> bool:
    """Write the GraphQL schema, or with `check` only compare; whether the file is now as the code says."""
    from app.api.schema import export_sdl

    text = export_sdl()
    if not check:
        path.write_text(text)
    return path.exists() and path.read_text() == text
