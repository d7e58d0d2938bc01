"""Re-maps: what is stored is translated again by another field mapping, without asking the provider."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from app.connectors.base import FieldRow
from app.connectors.metakocka.fields import PARTNER_FIELDS
from app.database import execute, transaction
from app.errors import InvalidInput
from app.mappings import repository as mappings
from app.syncs import engine, remapping
from app.syncs.models import RunStatus, SyncRun
from app.syncs.plans.models import RunNotUndoable
from app.syncs.service import SyncInProgress
from tests import factories
from tests.two_way.office import ALL, Office

DEFAULT = PARTNER_FIELDS.rows


def without(*targets: str) -> list[FieldRow]:
    return [row for row in DEFAULT if row.target not in targets]


UPPER = [*without("name"), FieldRow("name", "customer", (("trim",), ("upper",), ("text", "100")), required=True)]
"""Names in capital letters, which are only read then."""


async def publish(office: Office, rows: Sequence[FieldRow]) -> int:
    """Save and publish; how many records it is about."""
    where = (office.operator, office.connection.id, "partners")
    saved = await office.hub.field_mappings.save(*where, rows)
    return (await office.hub.field_mappings.publish(*where, saved.version)).records


async def remap(office: Office) -> SyncRun:
    return await office.run(mode="remap")


async def requests(office: Office) -> int:
    return len(await office.sandbox.requests())


async def data(office: Office, mk_id: str) -> dict[str, Any]:
    return dict((await office.record(mk_id)).data)


async def status_of(office: Office, mk_id: str) -> str | None:
    found = await office.mapped((await office.record(mk_id)).id)
    return found and found.status


@pytest.mark.requirement("MKC-04")
async def test_a_published_mapping_is_applied_to_what_is_stored_and_the_provider_is_not_asked(office: Office):
    ids = [await office.add(name) for name in ("Acme", "Bolt", "Coil")]
    await office.run()
    before = await office.hub.connections.get(office.operator, office.connection.id)
    asked = await requests(office)

    records = await publish(office, UPPER)
    run = await remap(office)
    again = await remap(office)

    assert (run.status, run.mode, run.progress) == (RunStatus.COMPLETED, "remap", 100)
    assert (run.counts.read, run.counts.updated, records) == (records, 3, 3)
    assert (again.counts.read, again.counts.unchanged) == (3, 3)
    assert [(await data(office, mk_id))["name"] for mk_id in ids] == ["ACME", "BOLT", "COIL"]
    assert await requests(office) == asked
    after = await office.hub.connections.get(office.operator, office.connection.id)
    assert after.last_synced_at == before.last_synced_at


async def test_what_was_translated_otherwise_is_not_written_back_and_the_next_pull_finds_nothing_new(office: Office):
    mk_id = await office.add("Acme", country="Slovenija")
    await office.run()
    names = [*without("address.country"), FieldRow("address.country", "address.country", (("trim",), ("text", "50")), direction="both")]
    await publish(office, names)

    await remap(office)
    pushed, pulled = await office.run("push"), await office.run()

    assert (await data(office, mk_id))["address"]["country"] == "Slovenija"
    assert await status_of(office, mk_id) == "synced"
    assert pushed.counts.read == 0
    assert (pulled.counts.updated, await office.conflicts()) == (0, [])


async def test_what_the_hub_has_changed_stays_and_still_waits_to_be_pushed(office: Office):
    mk_id = await office.add("Acme", tax_id_number="11111111")
    await office.run()
    await office.edit(await office.record(mk_id), tax_number="SI22222222", notes="ours")
    prefixed = FieldRow("tax_number", "tax_id_number", (("prefix", "SI"),), direction="both")
    await publish(office, [*without("tax_number"), prefixed])

    await remap(office)

    found = await data(office, mk_id)
    assert (found["tax_number"], found["notes"]) == ("SI22222222", "ours")
    assert (await status_of(office, mk_id), await office.conflicts()) == ("pending", [])


async def test_an_open_conflict_stays_open_with_the_new_translation_beside_it(office: Office):
    mk_id = await office.add("Acme", tax_id_number="1")
    await office.run()
    await office.edit(await office.record(mk_id), tax_number="2")
    await office.sandbox.edit_partner(mk_id, tax_id_number="3", customer="Acme 3")
    await office.run()
    (conflict,) = await office.conflicts()
    await publish(office, UPPER)

    await remap(office)

    (still,) = await office.conflicts()
    assert (still.id, still.ours, still.theirs) == (conflict.id, "2", "3")
    found = await data(office, mk_id)
    assert (found["tax_number"], found["name"]) == ("2", "ACME 3")


async def test_a_field_that_was_not_mapped_before_does_not_overwrite_what_the_hub_has_in_it(office: Office):
    both, empty_there, empty_here = [await office.add(name, tax_id_number=tax) for name, tax in (("A", "1"), ("B", ""), ("C", "3"))]
    await publish(office, without("tax_number"))
    await office.run()
    for mk_id in (both, empty_there):
        await office.edit(await office.record(mk_id), tax_number="ours")
    await office.run("push")
    await publish(office, DEFAULT)

    await remap(office)

    assert [(await data(office, mk_id)).get("tax_number") for mk_id in (both, empty_there, empty_here)] == ["ours", "ours", "3"]
    (conflict,) = await office.conflicts()
    assert (conflict.external_id, conflict.field, conflict.ours, conflict.theirs) == (both, "tax_number", "ours", "1")
    assert [await status_of(office, mk_id) for mk_id in (both, empty_there, empty_here)] == ["conflict", "pending", "synced"]


async def test_what_the_hub_deleted_stays_deleted_without_a_question(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    record = await office.record(mk_id)
    await office.hub.edits.delete(office.operator, record.id, version=record.version)
    await publish(office, UPPER)

    await remap(office)

    assert (await office.record(mk_id)).deleted_at is not None
    assert await office.conflicts() == []


async def test_a_pull_takes_over_the_rest_of_what_a_mapping_changed_without_a_conflict(office: Office):
    """The same without a re-map: the next full sync finds objects that are only translated otherwise."""
    mk_id = await office.add("Acme", tax_id_number="1")
    await office.run()
    await office.edit(await office.record(mk_id), name="Ours")
    await publish(office, UPPER)

    await office.run()

    assert (await data(office, mk_id))["name"] == "Ours"
    assert await office.conflicts() == []


async def test_what_cannot_be_translated_any_more_is_a_failed_record_and_what_can_be_again_is_well(office: Office):
    good, bad = await office.add("Acme", tax_id_number="123"), await office.add("Bolt", tax_id_number="12345678")
    await office.run()
    short = [*without("tax_number"), FieldRow("tax_number", "tax_id_number", (("trim",), ("text", "5")))]
    await publish(office, short)

    failing = await remap(office)
    await publish(office, DEFAULT)
    healing = await remap(office)

    assert (failing.status, failing.counts.failed) == (RunStatus.PARTIALLY_COMPLETED, 1)
    assert healing.status is RunStatus.COMPLETED
    assert [await status_of(office, mk_id) for mk_id in (good, bad)] == ["synced", "synced"]
    failed = await office.hub.failed_records.failed_records(office.operator, ALL, connection_id=office.connection.id)
    assert failed.items == []


async def test_what_could_not_be_pushed_is_translated_again_and_what_is_newer_than_its_mapping_is_not(office: Office):
    unpushed, unread = await office.add("Acme"), await office.add("Bolt")
    await office.run()
    where = (office.operator.scope, office.connection.id, "partners")
    async with transaction(office.operator.scope):
        await mappings.mark_failed(*where, {unpushed: "It could not be pushed."})
    await office.sandbox.edit_partner(unread, customer="x" * 101)
    await office.run()
    await publish(office, UPPER)

    run = await remap(office)

    assert (await data(office, unpushed))["name"] == "ACME"
    assert ((await data(office, unread))["name"], run.counts.read) == ("Bolt", 1)


async def test_a_record_that_changed_meanwhile_is_translated_as_it_is_now(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await publish(office, UPPER)
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], mode="remap")
    await office.sandbox.edit_partner(mk_id, customer="Later")
    await office.hub.imports.one(office.operator, office.connection.id, "partners", mk_id)

    await factories.finish(office.hub, office.operator, run)

    assert (await data(office, mk_id))["name"] == "LATER"


async def test_a_remap_is_taken_back_by_the_field_mapping(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await publish(office, UPPER)
    run = await remap(office)

    with pytest.raises(RunNotUndoable, match="roll back to the version before it"):
        await office.hub.plans.undo(office.operator, run.id)
    await office.hub.field_mappings.roll_back(office.operator, office.connection.id, "partners", 0)
    back = await remap(office)

    assert ((await data(office, mk_id))["name"], back.counts.updated) == ("Acme", 1)


async def test_a_remap_and_a_pull_of_one_stream_wait_for_each_other(office: Office):
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], mode="remap")

    with pytest.raises(SyncInProgress) as refused:
        await office.run()

    assert refused.value.existing_run_id == run.id


async def test_a_connection_that_needs_somebody_can_still_be_remapped(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await publish(office, UPPER)
    async with transaction(office.operator.scope):
        await execute(
            office.operator.scope,
            "UPDATE connection SET status = 'needs_attention' WHERE organization_id = $1 AND id = $2",
            office.operator.organization_id,
            office.connection.id,
        )

    run = await remap(office)

    assert (run.status, (await data(office, mk_id))["name"]) == (RunStatus.COMPLETED, "ACME")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"direction": "push"}, "direction"),
        ({"direction": "two_way"}, "direction"),
        ({"narrowed_to": {"contact_external_id": "1"}}, "narrowedTo"),
        ({"task": "plan"}, "mode"),
    ],
)
async def test_what_a_remap_cannot_do_is_refused(office: Office, values: dict[str, Any], field: str):
    with pytest.raises(InvalidInput) as refused:
        await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], mode="remap", **values)

    assert field in refused.value.fields


async def test_a_remap_that_is_cancelled_keeps_its_pages_and_the_next_one_does_the_rest(hub, operator, sandbox, monkeypatch):
    monkeypatch.setattr(remapping, "PAGE_SIZE", 50)
    monkeypatch.setattr(engine, "BEAT_SECONDS", 0.02)
    await sandbox.reset()
    await sandbox.seed("companies", 6000)
    await sandbox.settings(page_size=1000)
    connection = await factories.make_connection(hub, operator, sandbox)
    known = (await factories.sync(hub, operator, connection, streams=["companies"])).counts.created
    rows = [*hub.connectors["servicem8"].streams["companies"].fields.rows, FieldRow("custom.abn", "abn_number")]
    where = (operator, connection.id, "companies")
    await hub.field_mappings.publish(*where, (await hub.field_mappings.save(*where, rows)).version)
    run = await hub.syncs.start(operator, connection.id, streams=["companies"], mode="remap")
    work = asyncio.create_task(hub.syncs.advance(operator.organization_id, run.id))
    while not (await hub.syncs.run(operator, run.id)).counts.read:
        await asyncio.sleep(0.01)

    await hub.syncs.cancel(operator, run.id)
    async with asyncio.timeout(10):
        await work

    cancelled = await hub.syncs.run(operator, run.id)
    rest = await factories.sync(hub, operator, connection, streams=["companies"], mode="remap")
    await sandbox.settings(page_size=sandbox.config.page_size)
    assert cancelled.status is RunStatus.CANCELLED
    assert 0 < cancelled.counts.read < known
    assert rest.counts.read == known
    assert rest.counts.unchanged >= cancelled.counts.read
