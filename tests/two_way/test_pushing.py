"""Records brought to Metakocka, over HTTP to its sandbox: with their effect once, and nothing overwritten unseen."""

import asyncio

import pytest

from app.conflicts.rules import Rule
from app.database import execute, transaction
from app.syncs.models import RunStatus
from tests.two_way.office import ALL, Office

KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


@pytest.mark.requirement("MKC-12", "MKC-16", "MKC-37")
async def test_an_edit_in_the_hub_reaches_the_provider_and_does_not_come_back_as_a_change(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    record = await office.edit(await office.record(mk_id), name="Acme & sinovi", email="nova@acme.test")
    assert (await office.mapped(record.id)).status == "pending"

    run = await office.run("push")

    assert (run.status, run.counts.updated, run.counts.failed) == (RunStatus.COMPLETED, 1, 0)
    partner = await office.sandbox.partner(mk_id)
    assert partner["customer"] == "Acme & sinovi"
    assert (await office.mapped(record.id)).status == "synced"
    pushed = await office.record(mk_id)
    again = await office.run()
    assert (again.counts.updated, again.counts.unchanged) == (0, 1)
    assert await office.record(mk_id) == pushed


async def test_only_what_changed_is_written_and_the_rest_stays_as_it_is_there(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await office.edit(await office.record(mk_id), phone="+386 1 000")

    await office.run("push")

    (write,) = await office.sandbox.effects(object="partner")
    partner = await office.sandbox.partner(mk_id)
    assert write["effect"] == "changed"
    assert partner["partner_contact_list"][0]["phone"] == "+386 1 000"
    assert partner["partner_contact_list"][0]["name"] == "Ana Žagar"
    assert len(partner["partner_contact_list"]) == len(partner["partner_delivery_address_list"]) == 1


@pytest.mark.requirement("MKC-36", "MKC-38")
async def test_a_record_that_only_the_hub_has_is_created_once_when_it_is_asked_for(office: Office):
    record = await office.create("Nova stranka", tax_number="SI99999999", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})

    delivery = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    await asyncio.gather(*(office.hub.pushes.send(office.operator.organization_id, delivery) for _ in range(5)))

    mapping = await office.mapped(record.id)
    assert mapping is not None
    assert mapping.status == "synced"
    assert (await office.sandbox.partner(mapping.external_id))["customer"] == "Nova stranka"
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1


@pytest.mark.requirement("MKC-15", "MKC-46")
async def test_a_write_whose_answer_is_lost_is_looked_for_and_not_repeated(office: Office):
    record = await office.create("Nova stranka", tax_number="SI88888888", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    await office.sandbox.fault("drop-answer", path="*/add_partner")
    delivery = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)

    await office.hub.pushes.send(office.operator.organization_id, delivery)
    await _due_now(office, delivery)
    await office.hub.pushes.send(office.operator.organization_id, delivery)

    assert (await office.mapped(record.id)).status == "synced"
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1


async def test_what_somebody_changed_at_the_provider_meanwhile_is_merged_before_it_is_written(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await office.edit(await office.record(mk_id), email="hub@acme.test")
    await office.sandbox.edit_partner(mk_id, customer="Acme, renamed there")

    await office.run("push")

    partner = await office.sandbox.partner(mk_id)
    record = await office.record(mk_id)
    assert (partner["customer"], partner["partner_contact_list"][0]["email"]) == ("Acme, renamed there", "hub@acme.test")
    assert (record.data["name"], record.data["email"]) == ("Acme, renamed there", "hub@acme.test")
    assert await office.conflicts() == []


@pytest.mark.requirement("MKC-45", "MKC-05")
async def test_a_conflict_blocks_its_field_alone_until_it_is_resolved(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await office.edit(await office.record(mk_id), name="Ours", phone="+386 1 111")
    await office.sandbox.edit_partner(mk_id, customer="Theirs")

    await office.run("two_way")

    partner = await office.sandbox.partner(mk_id)
    assert (partner["customer"], partner["partner_contact_list"][0]["phone"]) == ("Theirs", "+386 1 111")
    (conflict,) = await office.conflicts()
    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="ours")
    await office.run("two_way")
    assert (await office.sandbox.partner(mk_id))["customer"] == "Ours"
    assert (await office.record(mk_id)).data["name"] == "Ours"
    assert (await office.mapped((await office.record(mk_id)).id)).status == "synced"


@pytest.mark.parametrize(("rule", "name"), [(Rule.PROVIDER_WINS, "Theirs"), (Rule.HUB_WINS, "Ours")])
async def test_after_a_two_way_run_with_a_policy_both_sides_show_the_same(office: Office, rule: Rule, name: str):
    await office.policy(conflicts=rule)
    mk_id = await office.add("Acme")
    await office.run()
    await office.edit(await office.record(mk_id), name="Ours")
    await office.sandbox.edit_partner(mk_id, customer="Theirs")

    await office.run("two_way")

    assert (await office.sandbox.partner(mk_id))["customer"] == (await office.record(mk_id)).data["name"] == name
    assert await office.conflicts() == []


async def test_what_the_provider_has_already_is_linked_and_not_made_again(office: Office):
    mk_id = await office.add("Acme d.o.o.", tax_id_number="SI77777777")
    record = await office.create("Acme d.o.o.", tax_number="77777777", website="https://acme.test")

    await office.hub.pushes.send(
        office.operator.organization_id, await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    )

    mapping = await office.mapped(record.id)
    assert mapping is not None
    assert mapping.external_id == mk_id
    assert await office.sandbox.effects(object="partner", effect="created") == []
    data = (await office.hub.records.get(office.operator, record.id)).data
    assert (data["website"], data["address"]["city"]) == ("https://acme.test", "Ljubljana")


async def test_what_the_provider_refuses_is_a_failed_record_and_the_rest_goes_on(office: Office):
    good, bad = await office.add("Good"), await office.add("Bad")
    await office.run()
    await office.edit(await office.record(good), name="Good, edited")
    await office.edit(await office.record(bad), name="Bad, edited")
    await office.sandbox.delete_partner(bad)

    run = await office.run("push")

    assert (run.status, run.counts.updated, run.counts.failed) == (RunStatus.PARTIALLY_COMPLETED, 1, 1)
    (failed,) = (await office.hub.failed_records.failed_records(office.operator, ALL, connection_id=office.connection.id)).items
    assert (failed.stage, failed.external_id) == ("push", bad)
    assert (await office.sandbox.partner(good))["customer"] == "Good, edited"


@pytest.mark.requirement("MKD-10")
async def test_a_push_makes_what_is_missing_only_where_the_policy_wants_it(office: Office):
    await office.create("Only here", address=KRANJ)
    assert (await office.run("push")).counts.created == 0

    await office.policy(creates_missing=True)

    assert (await office.run("push")).counts.created == 1
    assert (await office.run("push")).counts.created == 0


@pytest.mark.requirement("MKC-45")
async def test_what_the_provider_does_not_keep_as_it_was_sent_is_asked_about_and_not_taken_back(office: Office):
    """Metakocka does not empty a field that is sent empty."""
    mk_id = await office.add("Acme")
    await office.run()
    record = await office.edit(await office.record(mk_id), mobile="", phone="+386 1 222")

    await office.run("push")
    await office.run("two_way")

    (conflict,) = await office.conflicts()
    assert (conflict.field, conflict.ours, conflict.theirs) == ("mobile", None, "051 123 456")
    data = (await office.record(mk_id)).data
    assert (data.get("mobile", ""), data["phone"]) == ("", "+386 1 222")
    assert (await office.mapped(record.id)).status == "conflict"
    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="theirs")
    await office.run("two_way")
    assert (await office.record(mk_id)).data["mobile"] == "051 123 456"
    assert (await office.mapped(record.id)).status == "synced"


async def _due_now(office: Office, delivery_id) -> None:
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE delivery SET next_attempt_at = now() WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, delivery_id)
