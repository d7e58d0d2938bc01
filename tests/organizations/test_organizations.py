"""Organizations and the people in them."""

import asyncio
import secrets

import pytest

from app.actors import Permission, Role
from app.errors import InvalidInput, PermissionDenied
from app.organizations.people import LastOwner, PersonNotFound
from app.organizations.service import OrganizationNotFound, SlugTaken
from app.paging import PageRequest
from tests.factories import colleague, make_organization


async def test_an_organization_begins_with_its_owner(hub):
    slug = f"acme-{secrets.token_hex(4)}"

    organization, owner = await hub.organizations.create(
        "Acme d.o.o.", slug=slug, owner_email="Ana@Acme.test", owner_name="Ana Žagar", time_zone="Europe/Ljubljana", terms="Plačilo 30 dni."
    )

    assert (organization.slug, organization.name, organization.terms) == (slug, "Acme d.o.o.", "Plačilo 30 dni.")
    assert (owner.email, owner.name, owner.role) == ("ana@acme.test", "Ana Žagar", Role.OWNER)
    assert await hub.organizations.by_slug(slug) == organization


async def test_two_organizations_cannot_have_one_address(hub):
    slug = f"acme-{secrets.token_hex(4)}"
    await hub.organizations.create("First", slug=slug, owner_email="a@first.test", owner_name="A")

    with pytest.raises(SlugTaken):
        await hub.organizations.create("Second", slug=slug, owner_email="a@second.test", owner_name="A")


async def test_an_unknown_address_is_no_organization(hub):
    with pytest.raises(OrganizationNotFound):
        await hub.organizations.by_slug("nobody-is-here")


@pytest.mark.parametrize(
    ("field", "values"),
    [("slug", {"slug": "No Spaces"}), ("time_zone", {"time_zone": "Mars/Olympus"}), ("accent_color", {"accent_color": "red; }"})],
)
async def test_what_an_organization_is_made_of_is_checked(hub, field, values):
    with pytest.raises(InvalidInput) as refused:
        await hub.organizations.create("Acme", **({"slug": "acme-checked", "owner_email": "a@a.test", "owner_name": "A"} | values))
    assert set(refused.value.fields) == {field}


async def test_an_owner_changes_the_organization(hub, owner):
    before = await hub.organizations.get(owner)

    changed = await hub.organizations.change(owner, terms=" Plačilo v 8 dneh. ", accent_color="#aa3300")

    assert (changed.terms, changed.accent_color, changed.name, changed.slug) == ("Plačilo v 8 dneh.", "#aa3300", before.name, before.slug)
    [entry, *_] = (await hub.audit.entries(owner, PageRequest())).items
    assert (entry.event, entry.data) == ("organization.changed", {"accent_color": "#aa3300", "terms": "Plačilo v 8 dneh."})
    with pytest.raises(InvalidInput):
        await hub.organizations.change(owner, terms="x" * 20_001)
    with pytest.raises(PermissionDenied):
        await hub.organizations.change(colleague(owner, Role.OPERATOR), name="Mine")


async def test_a_person_is_told_where_to_sign_in(hub, owner):
    person = await hub.organizations.add_person(owner, email="Vera@example.test", name="Vera", role="viewer")

    organization = await hub.organizations.get(owner)
    mails = (await hub.mail.kept(owner, PageRequest())).items
    assert person.role is Role.VIEWER
    assert mails[0].recipient == "vera@example.test"
    assert f"http://hub.test/console/{organization.slug}/sign-in" in mails[0].body


async def test_one_address_is_one_person(hub, owner):
    await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")

    with pytest.raises(InvalidInput, match="already here"):
        await hub.organizations.add_person(owner, email="VERA@example.test", name="Vera 2", role="owner")


async def test_somebody_who_was_shut_out_can_come_back(hub, owner):
    person = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")
    await hub.organizations.disable_person(owner, person.id)

    back = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera K.", role="operator")

    assert (back.id, back.role, back.disabled_at) == (person.id, Role.OPERATOR, None)


async def test_the_last_owner_stays(hub, owner):
    second = await hub.organizations.add_person(owner, email="second@example.test", name="Second", role="owner")
    await hub.organizations.change_role(owner, second.id, "operator")

    with pytest.raises(LastOwner):
        await hub.organizations.disable_person(owner, owner.id)
    with pytest.raises(LastOwner):
        await hub.organizations.change_role(owner, owner.id, "viewer")


async def test_of_two_owners_who_shut_each_other_out_one_stays(hub, owner):
    second = await hub.organizations.add_person(owner, email="second@example.test", name="Second", role="owner")

    outcomes = await asyncio.gather(
        hub.organizations.disable_person(owner, second.id),
        hub.organizations.change_role(owner, owner.id, "viewer"),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, LastOwner) for outcome in outcomes) == 1


async def test_a_person_of_two_organizations_acts_in_one_at_a_time(hub, owner):
    elsewhere = await make_organization(hub)
    people = [
        await hub.organizations.add_person(each, email="both@example.test", name="Both", role="viewer") for each in (owner, elsewhere)
    ]

    for place, person in zip((owner, elsewhere), people, strict=True):
        url = await hub.organizations.make_link(place, person_id=person.id)
        cookie = (await hub.organizations.use_link(url.rpartition("/")[2])).cookie
        actor = (await hub.organizations.actor_for_session(cookie)).actor
        assert (actor.id, actor.organization_id) == (person.id, place.organization_id)


async def test_people_of_another_organization_do_not_exist(hub, owner):
    stranger = await make_organization(hub)

    with pytest.raises(PersonNotFound):
        await hub.organizations.disable_person(owner, stranger.id)
    assert [person.id for person in await hub.organizations.people(owner)] == [owner.id]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_only_owners_manage_people_and_tokens(hub, owner, role):
    actor = colleague(owner, role)

    for refused in (
        hub.organizations.people(actor),
        hub.organizations.add_person(actor, email="x@example.test", name="X", role="owner"),
        hub.organizations.tokens(actor),
        hub.organizations.create_token(actor, name="X", role="viewer"),
        hub.mail.kept(actor, PageRequest()),
    ):
        with pytest.raises(PermissionDenied):
            await refused


async def test_changes_of_people_are_in_the_audit_log(hub, owner):
    person = await hub.organizations.add_person(owner, email="vera@example.test", name="Vera", role="viewer")
    await hub.organizations.change_role(owner, person.id, "operator")
    await hub.organizations.disable_person(owner, person.id)

    entries = (await hub.audit.entries(owner, PageRequest(), subject_id=person.id)).items
    assert [entry.event for entry in entries] == ["person.disabled", "person.role_changed", "person.added"]
    assert owner.may(Permission.READ_AUDIT)
    assert (await hub.audit.verify(owner.organization_id)).ok
