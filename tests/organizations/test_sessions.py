"""Sessions and API tokens: who a request acts as."""

from datetime import timedelta

import pytest

from app.actors import ActorKind, Permission, Role
from app.database import execute, fetch_row, transaction
from app.errors import InvalidInput, NotSignedIn, PermissionDenied
from app.ids import new_id
from app.organizations import rules
from app.organizations.api_tokens import ApiTokenNotFound
from app.organizations.tokens import new_token
from tests.factories import colleague, make_organization
from tests.organizations.clock import Clock, by_clock, counted_statements
from tests.organizations.test_links import token_of


async def sign_in(organizations, actor, **recipient):
    url = await organizations.make_link(actor, **(recipient or {"person_id": actor.id}))
    return (await organizations.use_link(token_of(url))).cookie


async def make_client_contact(owner):
    """A contact of a new client, without an invitation."""
    client_id, contact_id = new_id(), new_id()
    async with transaction(owner.scope):
        await execute(
            owner.scope, "INSERT INTO client (id, organization_id, name) VALUES ($1, $2, 'Kavarna')", client_id, owner.organization_id
        )
        await execute(
            owner.scope,
            "INSERT INTO client_contact (id, organization_id, client_id, email, name) VALUES ($1, $2, $3, $4, 'Cene')",
            contact_id,
            owner.organization_id,
            client_id,
            f"{contact_id.hex}@kavarna.test",
        )
    return client_id, contact_id


async def test_a_contact_of_a_client_acts_within_its_client(hub, owner):
    client_id, contact_id = await make_client_contact(owner)

    cookie = await sign_in(hub.organizations, owner, client_contact_id=contact_id)
    actor = (await hub.organizations.actor_for_session(cookie, ip="192.0.2.9", user_agent="Safari")).actor

    assert (actor.kind, actor.role, actor.id) == (ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, contact_id)
    assert (actor.scope.organization_id, actor.scope.client_id) == (owner.organization_id, client_id)
    assert (actor.ip, actor.user_agent) == ("192.0.2.9", "Safari")
    assert (await hub.organizations.get(actor)).id == owner.organization_id


async def test_knowing_who_acts_takes_one_round_trip(hub, owner):
    cookie = await sign_in(hub.organizations, owner)
    _, secret = await hub.organizations.create_token(owner, name="CI", role="viewer")
    await hub.organizations.actor_for_token(secret)

    with counted_statements() as of_session:
        await hub.organizations.actor_for_session(cookie)
    with counted_statements() as of_token:
        await hub.organizations.actor_for_token(secret)

    assert (len(of_session), len(of_token)) == (1, 1)


@pytest.mark.parametrize(("kind", "hours"), [("person", 12), ("client contact", 14 * 24)])
async def test_a_session_lives_as_long_as_it_is_used(hub, owner, kind, hours):
    clock = Clock.at_now()
    organizations = by_clock(hub.organizations, clock)
    recipient = {"person_id": owner.id} if kind == "person" else {"client_contact_id": (await make_client_contact(owner))[1]}
    cookie = await sign_in(organizations, owner, **recipient)

    for _ in range(3):
        clock.advance(hours=hours - 0.1)
        await organizations.actor_for_session(cookie)
    clock.advance(hours=hours)

    with pytest.raises(NotSignedIn):
        await organizations.actor_for_session(cookie)


async def test_the_last_use_of_a_session_is_written_down_every_five_minutes_at_most(hub, owner):
    clock = Clock.at_now()
    organizations = by_clock(hub.organizations, clock)
    started = clock()
    cookie = await sign_in(organizations, owner)

    seen = []
    for minutes in (1, 3, 2, 4):
        clock.advance(minutes=minutes)
        session_id = (await organizations.actor_for_session(cookie)).session.id
        row = await fetch_row(
            owner.scope, "SELECT last_seen_at FROM session WHERE organization_id = $1 AND id = $2", owner.organization_id, session_id
        )
        seen.append(row["last_seen_at"] - started)

    assert seen == [timedelta(0), timedelta(0), timedelta(minutes=6), timedelta(minutes=6)]


async def test_somebody_who_is_shut_out_is_out_at_once(hub, owner):
    person = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")
    cookie = await sign_in(hub.organizations, owner, person_id=person.id)
    assert (await hub.organizations.actor_for_session(cookie)).actor.role is Role.VIEWER

    await hub.organizations.disable_person(owner, person.id)

    with pytest.raises(NotSignedIn):
        await hub.organizations.actor_for_session(cookie)


async def test_a_changed_role_holds_from_the_next_request_on(hub, owner):
    person = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")
    cookie = await sign_in(hub.organizations, owner, person_id=person.id)

    await hub.organizations.change_role(owner, person.id, "operator")

    assert (await hub.organizations.actor_for_session(cookie)).actor.role is Role.OPERATOR


async def test_a_session_cannot_be_ended_by_somebody_else(hub, owner):
    cookie = await sign_in(hub.organizations, owner)
    session = (await hub.organizations.actor_for_session(cookie)).session

    await hub.organizations.sign_out(colleague(owner, Role.OPERATOR), session.id)
    await hub.organizations.sign_out(await make_organization(hub), session.id)

    assert (await hub.organizations.actor_for_session(cookie)).session.id == session.id


async def test_a_session_of_one_organization_is_none_in_another(hub, owner):
    cookie = await sign_in(hub.organizations, owner)
    stranger = await make_organization(hub)

    for text in (cookie.replace(owner.organization_id.hex, stranger.organization_id.hex), new_token(owner.organization_id), "", "x" * 5000):
        with pytest.raises(NotSignedIn):
            await hub.organizations.actor_for_session(text)
        with pytest.raises(NotSignedIn):
            await hub.organizations.actor_for_token(text)


async def test_a_token_acts_with_its_role_and_permissions(hub, owner):
    token, secret = await hub.organizations.create_token(owner, name="Dashboard", role="operator", permissions=["syncs:read"])

    actor = await hub.organizations.actor_for_token(secret, ip="192.0.2.3", user_agent="curl")

    assert (actor.kind, actor.id, actor.name, actor.ip) == (ActorKind.API_TOKEN, token.id, "Dashboard", "192.0.2.3")
    assert actor.may(Permission.READ_SYNCS)
    assert not actor.may(Permission.RUN_SYNCS)
    assert token.last_four == secret[-4:]


async def test_a_secret_is_shown_once_and_stored_as_a_digest(hub, owner):
    _, secret = await hub.organizations.create_token(owner, name="CI", role="viewer")

    row = await fetch_row(
        owner.scope, "SELECT row_to_json(api_token)::text AS text FROM api_token WHERE organization_id = $1", owner.organization_id
    )

    assert secret.split("_", 2)[2] not in row["text"]
    assert secret not in str(await hub.organizations.tokens(owner))


async def test_a_revoked_or_expired_token_stops_working(hub, owner):
    clock = Clock.at_now()
    organizations = by_clock(hub.organizations, clock)
    revoked, secret_of_revoked = await organizations.create_token(owner, name="A", role="viewer")
    _, secret_of_expired = await organizations.create_token(owner, name="B", role="viewer", expires_at=clock() + timedelta(hours=1))

    await organizations.revoke_token(owner, revoked.id)
    await organizations.revoke_token(owner, revoked.id)
    clock.advance(hours=1)

    for secret in (secret_of_revoked, secret_of_expired):
        with pytest.raises(NotSignedIn):
            await organizations.actor_for_token(secret)


async def test_what_a_token_may_be(hub, owner):
    with pytest.raises(InvalidInput):
        await hub.organizations.create_token(owner, name="X", role="client_contact")
    with pytest.raises(InvalidInput, match="does not allow"):
        await hub.organizations.create_token(owner, name="X", role="viewer", permissions=["people:manage"])
    with pytest.raises(InvalidInput, match="future"):
        await hub.organizations.create_token(owner, name="X", role="viewer", expires_at=hub.now())
    with pytest.raises(ApiTokenNotFound):
        await hub.organizations.revoke_token(owner, new_id())


async def test_a_limited_token_cannot_make_a_mightier_one(hub, owner):
    _, secret = await hub.organizations.create_token(owner, name="X", role="owner", permissions=["people:manage"])
    actor = await hub.organizations.actor_for_token(secret)

    with pytest.raises(PermissionDenied):
        await hub.organizations.create_token(actor, name="Y", role="owner")
    with pytest.raises(PermissionDenied):
        await hub.organizations.add_person(actor, email="me@example.test", name="Me", role="owner")


async def test_the_last_use_of_a_token_is_written_down_every_five_minutes_at_most(hub, owner):
    clock = Clock.at_now()
    organizations = by_clock(hub.organizations, clock)
    _, secret = await organizations.create_token(owner, name="X", role="viewer")

    await organizations.actor_for_token(secret)
    first = clock()
    clock.advance(minutes=4)
    await organizations.actor_for_token(secret)

    [token] = await organizations.tokens(owner)
    assert token.last_used_at == first
    clock.advance(seconds=rules.SEEN_EVERY.total_seconds())
    await organizations.actor_for_token(secret)
    assert (await organizations.tokens(owner))[0].last_used_at == clock()
