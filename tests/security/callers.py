"""Everybody who may knock: each role, tokens that lack one permission, and those who are nobody (any more)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.actors import PERMISSIONS, Permission, Role
from tests import factories
from tests.security.rows import Group
from tests.security.world import World, signed_in

ROLES = dict(PERMISSIONS)
"""As they are when the tests begin: what a test does to the application's own table does not move what is expected."""

STAFF_SEES = frozenset({Group.OWN, Group.OTHER, Group.STAFF, Group.SHARED})
CLIENT_SEES = frozenset({Group.OWN, Group.SHARED})


@dataclass(frozen=True)
class Caller:
    """Who sends requests with these headers, what it may do, and whose rows it may see."""

    name: str
    headers: Mapping[str, str] = field(repr=False)
    permissions: frozenset[Permission] = frozenset()
    sees: frozenset[Group] = STAFF_SEES
    is_client: bool = False


@dataclass(frozen=True)
class Callers:
    roles: dict[str, Caller]
    lacking: dict[Permission, Caller]
    """Tokens of an owner that may do everything but one thing."""
    strangers: dict[str, Caller]


async def make_callers(world: World) -> Callers:
    lacking = {permission: await _token(world, ROLES[Role.OWNER] - {permission}) for permission in Permission}
    return Callers(await _roles(world), lacking, await _strangers(world))


async def _roles(world: World) -> dict[str, Caller]:
    contact = await signed_in(world.hub, world.owner, client_contact_id=world.contact.id)
    client = Caller("a client's contact", contact, ROLES[Role.CLIENT_CONTACT], CLIENT_SEES, is_client=True)
    people = {role: await _person(world, role) for role in (Role.OWNER, Role.OPERATOR, Role.VIEWER)}
    return {"client_contact": client} | {str(role): Caller(f"the {role}", headers, ROLES[role]) for role, headers in people.items()}


async def _person(world: World, role: Role) -> dict[str, str]:
    person = await world.hub.organizations.add_person(world.owner, email=f"{factories.key()}@staff.test", name=f"Some {role}", role=role)
    return await signed_in(world.hub, world.owner, person_id=person.id)


async def _token(world: World, permissions: frozenset[Permission]) -> Caller:
    missing = ", ".join(ROLES[Role.OWNER] - permissions)
    _, secret = await world.hub.organizations.create_token(
        world.owner, name="A narrow token", role="owner", permissions=[str(permission) for permission in permissions]
    )
    return Caller(f"a token without {missing}", _bearer(secret), permissions)


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def _strangers(world: World) -> dict[str, Caller]:
    headers = {
        "nobody": {},
        "a token that nobody made": _bearer(f"cw_{world.owners.organization.hex}_{'x' * 43}"),
        "a revoked token": await _revoked_token(world),
        "an expired token": await _expired_token(world),
        "a session that has ended": await _ended_session(world),
        "somebody who was shut out": await _disabled_person(world),
        "a contact who was shut out": await _disabled_contact(world),
        "a session used by another site": {**await _person(world, Role.OWNER), "Sec-Fetch-Site": "cross-site"},
    }
    return {name: Caller(name, values, sees=frozenset()) for name, values in headers.items()}


async def _revoked_token(world: World) -> dict[str, str]:
    token, secret = await world.hub.organizations.create_token(world.owner, name="Revoked", role="owner")
    await world.hub.organizations.revoke_token(world.owner, token.id)
    return _bearer(secret)


async def _expired_token(world: World) -> dict[str, str]:
    token, secret = await world.hub.organizations.create_token(
        world.owner, name="Expired", role="owner", expires_at=datetime.now(UTC) + timedelta(days=1)
    )
    await world.database.admin.execute("UPDATE api_token SET expires_at = now() - interval '1 second' WHERE id = $1", token.id)
    return _bearer(secret)


async def _ended_session(world: World) -> dict[str, str]:
    headers = await _person(world, Role.OWNER)
    cookie = headers["Cookie"].partition("=")[2]
    found = await world.hub.organizations.actor_for_session(cookie)
    await world.hub.organizations.sign_out(found.actor, found.session.id)
    return headers


async def _disabled_person(world: World) -> dict[str, str]:
    headers = await _person(world, Role.OWNER)
    found = await world.hub.organizations.actor_for_session(headers["Cookie"].partition("=")[2])
    assert found.actor.id
    await world.hub.organizations.disable_person(world.owner, found.actor.id)
    return headers


async def _disabled_contact(world: World) -> dict[str, str]:
    contact = await world.hub.clients.invite(
        world.owner, contact_record_id=world.own.ids["Contact"], email=f"{factories.key()}@client.test", name="Gone"
    )
    headers = await signed_in(world.hub, world.owner, client_contact_id=contact.id)
    await world.hub.clients.disable_contact(world.owner, contact.id)
    return headers
