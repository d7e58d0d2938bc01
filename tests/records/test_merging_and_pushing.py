"""What merged contacts mean for a provider that is written to: Metakocka's sandbox."""

from dataclasses import replace

import pytest

from app.connectors.metakocka.partner_writer import PartnerWriter
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.syncs.pushing import PushOutcome
from tests.two_way.office import Office


@pytest.fixture
async def office(hub, operator, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


class _Deleting(PartnerWriter):
    """As if Metakocka could delete partners."""

    deletes = "delete"


async def _merged(office: Office, *fields: str):
    """Two partners that are one contact now: their ids there, the survivor first."""
    stays, goes = await office.add("Acme"), await office.add("ACME d.o.o.", tax_id_number="SI77777777")
    await office.run()
    survivor, loser = await office.record(stays), await office.record(goes)
    await office.hub.merges.merge(office.operator, survivor.id, loser.id, dict.fromkeys(fields, "loser"))
    return stays, goes


async def test_the_survivor_is_written_and_nothing_is_brought_to_the_loser_whatever_the_policy(office: Office):
    await office.policy(hub_deletions="propagate", creates_missing=True)
    stays, goes = await _merged(office, "name")
    before = await office.sandbox.partner(goes)

    run = await office.run("push")
    delivery = await office.hub.pushes.queue(office.operator, (await office.record(goes)).id, office.connection.id)
    await office.hub.pushes.send(office.operator.organization_id, delivery)

    assert (run.counts.updated, run.counts.created, run.counts.deleted, run.counts.failed) == (1, 0, 0, 0)
    assert (await office.sandbox.partner(stays))["customer"] == "ACME d.o.o."
    assert await office.sandbox.partner(goes) == before
    assert (await office.hub.deliveries.delivery(office.operator, delivery)).status == "confirmed"


async def test_the_losers_counterpart_is_not_deleted_where_the_provider_could(office: Office):
    await office.policy(hub_deletions="propagate")
    _, goes = await _merged(office)
    hub, scope, connection = office.hub, office.operator.scope, office.connection
    connector = hub.connectors["metakocka"]
    partners = connector.streams["partners"]
    deleting = replace(partners, writer=_Deleting())

    async with hub.connections.open_session(scope, connection.id) as session:
        source = await hub.walker.source(scope, connection.id, connector, partners, session, None)
        outcome = await hub.walker.pusher.push(replace(source, stream=deleting), session, (await office.record(goes)).id)

    assert outcome is PushOutcome.UNCHANGED
    assert await office.sandbox.partner(goes)


async def test_an_edit_that_waited_for_the_loser_waits_no_more(office: Office):
    stays, goes = await office.add("Acme"), await office.add("ACME d.o.o.")
    await office.run()
    await office.edit(await office.record(goes), phone="+386 1 000")
    loser = await office.record(goes)

    await office.hub.merges.merge(office.operator, (await office.record(stays)).id, loser.id, {})

    assert (await office.mapped(loser.id)).status == "synced"
    assert (await office.run("push")).counts.updated == 0


async def test_what_the_loser_gets_from_its_provider_is_brought_to_the_survivors(office: Office):
    stays, goes = await _merged(office, "tax_number")
    await office.run("push")
    await office.sandbox.edit_partner(goes, tax_id_number="SI88888888")

    await office.run("two_way")

    assert (await office.record(stays)).data["tax_number"] == (await office.record(goes)).data["tax_number"]
    assert (await office.sandbox.partner(stays))["tax_id_number"].endswith("88888888")


async def test_a_contact_of_another_connection_is_not_made_again_where_the_loser_is(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await office.policy(creates_missing=True)
    survivor = await office.create("Acme", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    await office.hub.merges.merge(office.operator, survivor.id, (await office.record(mk_id)).id, {})

    run = await office.run("push")

    assert (run.counts.created, run.counts.failed) == (0, 0)
    assert await office.sandbox.effects(object="partner", effect="created") == []


async def test_parted_again_what_the_hub_alone_had_is_brought_after_all(office: Office):
    stays, goes = await office.add("Acme"), await office.add("ACME d.o.o.")
    await office.run()
    await office.edit(await office.record(goes), name="ACME, edited")
    loser = await office.record(goes)
    await office.hub.merges.merge(office.operator, (await office.record(stays)).id, loser.id, {})
    await office.sandbox.edit_partner(goes, tax_id_number="SI66666666")
    await office.run("two_way")
    assert (await office.sandbox.partner(goes))["customer"] == "ACME d.o.o."

    await office.hub.merges.unmerge(office.operator, loser.id)
    await office.run("two_way")

    partner = await office.sandbox.partner(goes)
    assert (partner["customer"], partner["tax_id_number"]) == ("ACME, edited", "SI66666666")
    assert (await office.record(goes)).data["name"] == "ACME, edited"
    assert await office.conflicts() == []


async def test_a_merge_that_was_taken_back_is_no_deletion_that_somebody_is_asked_about(office: Office):
    _, goes = await _merged(office)
    await office.hub.merges.unmerge(office.operator, (await office.record(goes)).id)
    await office.run("push")
    await office.sandbox.delete_partner(goes)

    await office.run()

    assert (await office.conflicts(), (await office.record(goes)).deleted_at is None) == ([], False)


@pytest.mark.parametrize("directions", [("pull",), ("push",), ("pull", "pull", "push"), ("two_way",)])
async def test_what_hub_and_provider_both_changed_before_and_during_a_merge_is_asked_about_afterwards(office: Office, directions):
    stays, goes = await office.add("Acme", tax_id_number=""), await office.add("ACME d.o.o.", tax_id_number="")
    await office.run()
    await office.edit(await office.record(goes), name="Ours")
    loser = await office.record(goes)
    await office.hub.merges.merge(office.operator, (await office.record(stays)).id, loser.id, {})
    await office.sandbox.edit_partner(goes, customer="Theirs", tax_id_number="SI66666666")
    await office.run("two_way")
    assert (await office.sandbox.partner(goes))["customer"] == "Theirs"
    assert (await office.record(stays)).data["tax_number"] == "SI66666666"
    survivor = await office.edit(await office.record(stays), tax_number="")  # what came on is not wanted there
    again = await office.run("two_way")
    assert (again.counts.failed, (await office.record(stays)).data.get("tax_number", "")) == (0, "")
    assert (await office.record(stays)).version >= survivor.version

    await office.hub.merges.unmerge(office.operator, loser.id)
    for direction in directions:
        await office.run(direction)

    (conflict,) = [one for one in await office.conflicts() if one.record_id == loser.id]
    assert (conflict.field, conflict.base, conflict.ours, conflict.theirs) == ("name", "ACME d.o.o.", "Ours", "Theirs")
    assert (await office.record(goes)).data["tax_number"] == "SI66666666"
