"""Sign-in links: asked for, looked at, used once."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from app.actors import ActorKind, Permission, Role
from app.database import fetch_value
from app.errors import InvalidInput, NotSignedIn, PermissionDenied
from app.organizations.limits import PER_ADDRESS, TooManyRequests
from app.organizations.links import ANSWER_SECONDS, LinkExpired, LinkUnknown, LinkUsed, OrganizationNotFound
from app.organizations.tokens import digest
from app.paging import PageRequest
from tests.factories import colleague, make_organization
from tests.organizations.clock import Clock, by_clock


async def email_of(hub, owner):
    return next(person.email for person in await hub.organizations.people(owner) if person.id == owner.id)


async def slug_of(hub, owner):
    return (await hub.organizations.get(owner)).slug


async def mailed_links(hub, owner):
    """The tokens in the mails to the organization, newest first."""
    mails = (await hub.mail.kept(owner, PageRequest())).items
    return [found[1] for mail in mails if (found := re.search(r"/sign-in/(cw_\S+)", mail.body))]


def token_of(url):
    return url.rpartition("/")[2]


async def test_a_person_signs_in_with_a_mailed_link(hub, owner):
    slug = await slug_of(hub, owner)

    await hub.organizations.ask_for_link(
        slug, await email_of(hub, owner), door="console", ip="192.0.2.1", next_path=f"/console/{slug}/runs"
    )
    [token] = await mailed_links(hub, owner)
    view = await hub.organizations.look_at_link(token)
    cookie, next_path, door = await hub.organizations.use_link(token, ip="192.0.2.1", user_agent="Firefox")
    signed_in = await hub.organizations.actor_for_session(cookie, ip="192.0.2.1", user_agent="Firefox")

    assert (view.usable, view.recipient_name, view.organization.slug) == (True, "Olive Owner", slug)
    assert (next_path, door) == (f"/console/{slug}/runs", "console")
    assert signed_in.actor.id == owner.id
    assert signed_in.organization == await hub.organizations.get(owner)
    assert (signed_in.actor.kind, signed_in.actor.role, signed_in.actor.scope) == (ActorKind.PERSON, Role.OWNER, owner.scope)
    assert len(signed_in.session.csrf_token) >= 32


async def test_the_mail_names_the_organization_and_how_long_the_link_works(hub, owner):
    await hub.organizations.ask_for_link(await slug_of(hub, owner), await email_of(hub, owner), door="console", ip=None)

    mail = (await hub.mail.kept(owner, PageRequest())).items[0]
    assert "Brightwater Electrical" in mail.subject
    assert "15 minutes" in mail.body
    assert f"http://hub.test/console/{await slug_of(hub, owner)}/sign-in/cw_" in mail.body


async def test_looking_at_a_link_changes_nothing(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id))

    views = [await hub.organizations.look_at_link(token) for _ in range(3)]

    assert all(view.usable for view in views)
    assert await hub.organizations.use_link(token)


async def test_a_link_works_once(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id))
    await hub.organizations.use_link(token)

    assert (await hub.organizations.look_at_link(token)).reason == "used"
    with pytest.raises(LinkUsed):
        await hub.organizations.use_link(token)


async def test_of_twenty_who_use_a_link_at_once_one_is_let_in(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id))

    outcomes = await asyncio.gather(*(hub.organizations.use_link(token) for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(outcome, LinkUsed) for outcome in outcomes) == 19


async def test_a_reusable_link_may_be_used_again(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id, reusable=True, lifetime=timedelta(hours=8)))

    cookies = {(await hub.organizations.use_link(token)).cookie for _ in range(3)}

    assert len(cookies) == 3
    assert (await hub.organizations.look_at_link(token)).usable


async def test_a_link_grows_old(hub, owner):
    clock = Clock.at_now()
    organizations = by_clock(hub.organizations, clock)
    token = token_of(await organizations.make_link(owner, person_id=owner.id))

    clock.advance(minutes=15)

    assert (await organizations.look_at_link(token)).reason == "expired"
    with pytest.raises(LinkExpired):
        await organizations.use_link(token)


async def test_a_link_of_somebody_who_was_shut_out_is_no_link(hub, owner):
    person = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")
    token = token_of(await hub.organizations.make_link(owner, person_id=person.id))

    await hub.organizations.disable_person(owner, person.id)

    with pytest.raises(LinkUnknown):
        await hub.organizations.use_link(token)


async def test_a_link_of_another_organization_opens_nothing_here(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id))
    stranger = await make_organization(hub)

    moved = token.replace(owner.organization_id.hex, stranger.organization_id.hex)

    with pytest.raises(LinkUnknown):
        await hub.organizations.look_at_link(moved)
    with pytest.raises(LinkUnknown):
        await hub.organizations.use_link(moved)
    with pytest.raises(LinkUnknown):
        await hub.organizations.use_link("cw_nonsense")


async def test_only_a_digest_of_a_link_is_stored(hub, owner):
    token = token_of(await hub.organizations.make_link(owner, person_id=owner.id))

    stored = await fetch_value(
        owner.scope, "SELECT row_to_json(sign_in_link)::text FROM sign_in_link WHERE organization_id = $1", owner.organization_id
    )

    assert token.split("_", 2)[2] not in stored
    assert digest(token).hex() in stored


async def test_an_unknown_address_gets_the_same_answer_in_the_same_time_and_no_mail(hub, owner):
    slug, email = await slug_of(hub, owner), await email_of(hub, owner)
    before = len((await hub.mail.kept(owner, PageRequest())).items)

    async def seconds(address):
        started = time.perf_counter()
        assert await hub.organizations.ask_for_link(slug, address, door="console", ip=None) is None
        return time.perf_counter() - started

    known, unknown = await seconds(email), await seconds("nobody@example.test")

    assert min(known, unknown) >= ANSWER_SECONDS
    assert abs(known - unknown) < ANSWER_SECONDS
    assert len((await hub.mail.kept(owner, PageRequest())).items) == before + 1


async def test_a_person_is_unknown_at_the_portal(hub, owner):
    await hub.organizations.ask_for_link(await slug_of(hub, owner), await email_of(hub, owner), door="portal", ip=None)

    assert await mailed_links(hub, owner) == []


async def test_asking_at_no_organization_or_with_no_address_is_refused(hub, owner):
    with pytest.raises(OrganizationNotFound):
        await hub.organizations.ask_for_link("nobody-is-here", "a@b.example", door="console", ip=None)
    with pytest.raises(InvalidInput):
        await hub.organizations.ask_for_link(await slug_of(hub, owner), "not an address", door="console", ip=None)


@pytest.mark.parametrize("known", [True, False])
async def test_asking_too_often_is_refused_for_known_and_unknown_addresses_alike(hub, owner, known):
    slug, email = await slug_of(hub, owner), await email_of(hub, owner) if known else "nobody@example.test"

    outcomes = await asyncio.gather(
        *(hub.organizations.ask_for_link(slug, email, door="console", ip=None) for _ in range(PER_ADDRESS.requests + 2)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyRequests)]
    assert len(refused) == 2
    assert 0 < refused[0].retry_after_seconds <= PER_ADDRESS.seconds


async def test_one_network_cannot_ask_for_ever_more_addresses(hub, owner):
    slug, ip = await slug_of(hub, owner), f"2001:db8:{owner.organization_id.hex[-4:]}:{owner.organization_id.hex[-8:-4]}::"

    outcomes = await asyncio.gather(
        *(hub.organizations.ask_for_link(slug, f"a{n}@example.test", door="console", ip=f"{ip}{n:x}") for n in range(33)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, TooManyRequests) for outcome in outcomes) == 3


async def test_without_redis_links_are_still_sent_but_not_without_end(hub, owner):
    nobody_listens = Redis(host="127.0.0.1", port=1, retry=Retry(ConstantBackoff(0.2), 25), retry_on_error=[ConnectionError])
    organizations = replace(hub.organizations, redis=nobody_listens)
    slug, email = await slug_of(hub, owner), await email_of(hub, owner)

    asked = (organizations.ask_for_link(slug, email, door="console", ip=None) for _ in range(PER_ADDRESS.requests))
    await asyncio.gather(*asked)
    await organizations.ask_for_link(slug, email, door="console", ip=None)
    await nobody_listens.aclose()

    assert len(await mailed_links(hub, owner)) == PER_ADDRESS.requests


async def test_who_may_make_links_for_whom(hub, owner):
    operator, viewer = colleague(owner, Role.OPERATOR), colleague(owner, Role.VIEWER)

    for actor in (operator, viewer):
        with pytest.raises(PermissionDenied):
            await hub.organizations.make_link(actor, person_id=owner.id)
    narrow = replace(owner, scopes=frozenset({Permission.MANAGE_PEOPLE}))
    with pytest.raises(PermissionDenied, match="more than you are allowed"):
        await hub.organizations.make_link(narrow, person_id=owner.id)
    with pytest.raises(InvalidInput):
        await hub.organizations.make_link(owner)


async def test_signing_out_ends_the_session(hub, owner):
    cookie = (await hub.organizations.use_link(token_of(await hub.organizations.make_link(owner, person_id=owner.id)))).cookie
    signed_in = await hub.organizations.actor_for_session(cookie)

    await hub.organizations.sign_out(signed_in.actor, signed_in.session.id)
    await hub.organizations.sign_out(signed_in.actor, signed_in.session.id)

    with pytest.raises(NotSignedIn):
        await hub.organizations.actor_for_session(cookie)
    events = [entry.event for entry in (await hub.audit.entries(owner, PageRequest(), subject_id=signed_in.session.id)).items]
    assert events == ["session.ended", "session.started"]
