"""Clients, the people who decide for them, and their sites."""

import asyncio
import re

import pytest

from app.actors import Role
from app.clients.service import AddressInUse, ClientContactNotFound, ClientNotFound, ContactRecordNotFound
from app.database import execute, fetch_value, transaction
from app.errors import IdempotencyKeyReused, InvalidInput, NotSignedIn, PermissionDenied
from app.ids import new_id
from app.organizations.links import LinkUsed
from app.paging import PageRequest
from tests.factories import colleague, key, make_connection, make_organization, sync


async def make_contact_record(owner, name="Kavarna Žaba"):
    """A contact record as a sync would leave it."""
    record_id = new_id()
    async with transaction(owner.scope):
        await execute(
            owner.scope,
            "INSERT INTO record (id, organization_id, entity, data) VALUES ($1, $2, 'contact', $3)",
            record_id,
            owner.organization_id,
            {"name": name},
        )
    return record_id


async def invite(hub, actor, record_id, **values):
    invited = {"email": "cene@zaba.test", "name": "Cene"} | values
    return await hub.clients.invite(actor, contact_record_id=record_id, **invited)


async def invitations(hub, owner, contact):
    mails = (await hub.mail.kept(owner, PageRequest())).items
    return [mail for mail in mails if mail.purpose == f"invitation:{contact.id}"]


async def test_an_invited_contact_signs_in_at_the_portal(hub, owner):
    operator = colleague(owner, Role.OPERATOR)
    contact = await invite(hub, operator, await make_contact_record(owner), email="Cene@Zaba.test")

    [mail] = await invitations(hub, owner, contact)
    [(door, token)] = re.findall(r"http://hub\.test/(\w+)/[\w-]+/sign-in/(cw_\S+)", mail.body)
    cookie, _, _ = await hub.organizations.use_link(token)
    actor = (await hub.organizations.actor_for_session(cookie)).actor

    assert (mail.recipient, door) == ("cene@zaba.test", "portal")
    assert "Kavarna Žaba" in mail.body
    assert "7 days" in mail.body
    assert (actor.role, actor.id, actor.scope.client_id) == (Role.CLIENT_CONTACT, contact.id, contact.client_id)
    with pytest.raises(LinkUsed):
        await hub.organizations.use_link(token)


async def test_a_contact_can_ask_for_a_new_link_at_the_portal(hub, owner):
    contact = await invite(hub, owner, await make_contact_record(owner))
    slug = (await hub.organizations.get(owner)).slug

    await hub.organizations.ask_for_link(slug, "CENE@zaba.test ", door="portal", ip=None, next_path=f"/portal/{slug}/quotes/1")

    [mail, *_] = (await hub.mail.kept(owner, PageRequest())).items
    assert mail.purpose == f"sign_in:{contact.id}"
    assert "30 minutes" in mail.body


async def test_one_contact_record_is_one_client(hub, owner):
    record_id = await make_contact_record(owner)

    invited = await asyncio.gather(*(invite(hub, owner, record_id, email=f"c{n}@zaba.test", name=f"C{n}") for n in range(6)))

    [client] = (await hub.clients.clients(owner, PageRequest())).items
    assert {contact.client_id for contact in invited} == {client.id}
    assert [contact.email for contact in client.contacts] == [f"c{n}@zaba.test" for n in range(6)]
    assert (client.name, client.contact_record_id) == ("Kavarna Žaba", record_id)


async def test_inviting_again_sends_a_new_link_and_repeating_a_request_does_not(hub, owner):
    record_id, asked = await make_contact_record(owner), key()

    first = await invite(hub, owner, record_id, idempotency_key=asked)
    again = await invite(hub, owner, record_id, idempotency_key=asked)
    anew = await invite(hub, owner, record_id)

    assert first.id == again.id == anew.id
    assert len(await invitations(hub, owner, first)) == 2
    with pytest.raises(IdempotencyKeyReused):
        await invite(hub, owner, record_id, name="Somebody else", idempotency_key=asked)


async def test_one_address_signs_in_for_one_client(hub, owner):
    await invite(hub, owner, await make_contact_record(owner))
    other = await make_contact_record(owner, "Picerija")

    with pytest.raises(AddressInUse):
        await invite(hub, owner, other)

    assert [client.name for client in (await hub.clients.clients(owner, PageRequest())).items] == ["Kavarna Žaba"]


async def test_nobody_is_invited_for_a_contact_that_is_not_there(hub, owner):
    stranger = await make_organization(hub)

    for record_id in (new_id(), await make_contact_record(stranger)):
        with pytest.raises(ContactRecordNotFound):
            await invite(hub, owner, record_id)


async def test_a_contact_that_is_shut_out_is_out_at_once_and_can_be_invited_again(hub, owner):
    record_id = await make_contact_record(owner)
    contact = await invite(hub, owner, record_id)
    token = (await hub.organizations.make_link(owner, client_contact_id=contact.id)).rpartition("/")[2]
    cookie = (await hub.organizations.use_link(token)).cookie

    disabled = await hub.clients.disable_contact(owner, contact.id)

    assert disabled.disabled_at is not None
    with pytest.raises(NotSignedIn):
        await hub.organizations.actor_for_session(cookie)
    assert (await invite(hub, owner, record_id)).disabled_at is None
    with pytest.raises(ClientContactNotFound):
        await hub.clients.disable_contact(owner, new_id())


async def test_a_client_has_sites(hub, owner):
    contact = await invite(hub, owner, await make_contact_record(owner))

    site = await hub.clients.add_site(owner, contact.client_id, name="Skladišče", address="Cesta 1\n1000 Ljubljana")

    assert (await hub.clients.client(owner, contact.client_id)).sites == (site,)
    with pytest.raises(ClientNotFound):
        await hub.clients.add_site(owner, new_id(), name="X")
    with pytest.raises(InvalidInput):
        await hub.clients.add_site(owner, contact.client_id, name=" ")


async def test_clients_are_listed_by_name_page_by_page(hub, owner):
    for number, name in enumerate(("Cvetličarna", "Avtohiša", "Bar")):
        await invite(hub, owner, await make_contact_record(owner, name), email=f"c{number}@example.test")

    first = await hub.clients.clients(owner, PageRequest(2))
    second = await hub.clients.clients(owner, PageRequest(2, first.cursors[-1]))

    assert [client.name for client in (*first.items, *second.items)] == ["Avtohiša", "Bar", "Cvetličarna"]


async def test_who_may_do_what_with_clients(hub, owner):
    record_id, viewer = await make_contact_record(owner), colleague(owner, Role.VIEWER)
    contact = await invite(hub, owner, record_id)

    assert (await hub.clients.client(viewer, contact.client_id)).id == contact.client_id
    for refused in (
        invite(hub, viewer, record_id),
        hub.clients.disable_contact(viewer, contact.id),
        hub.clients.add_site(viewer, contact.client_id, name="X"),
        hub.organizations.make_link(viewer, client_contact_id=contact.id),
        hub.clients.clients(colleague(owner, Role.CLIENT_CONTACT), PageRequest()),
    ):
        with pytest.raises(PermissionDenied):
            await refused


async def test_clients_of_another_organization_do_not_exist(hub, owner):
    contact = await invite(hub, owner, await make_contact_record(owner))
    stranger = await make_organization(hub)

    assert (await hub.clients.clients(stranger, PageRequest())).items == []
    with pytest.raises(ClientNotFound):
        await hub.clients.client(stranger, contact.client_id)
    with pytest.raises(ClientContactNotFound):
        await hub.clients.disable_contact(stranger, contact.id)


async def test_a_new_client_gets_the_quotes_that_were_read_for_it_already(hub, owner, sandbox):
    await sandbox.reset()
    company = await sandbox.create("company", name="Kavarna Žaba")
    job = await sandbox.create("job", status="Quote", company_uuid=company["uuid"], job_description="Nova razsvetljava")
    await sandbox.add_line(job["uuid"], name="Svetilka", quantity="2", price="110")
    connection = await make_connection(hub, owner, sandbox)
    await sync(hub, owner, connection)
    [record] = (await hub.records.contacts(owner, PageRequest())).items

    contact = await invite(hub, owner, record.id)

    given = "SELECT count(*) FROM {} WHERE organization_id = $1 AND client_id = $2"
    for table in ("quote", "quote_line", "quote_version"):
        assert await fetch_value(owner.scope, given.format(table), owner.organization_id, contact.client_id) == 1
