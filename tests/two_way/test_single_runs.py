"""Runs of one thing alone, over HTTP to Metakocka's sandbox: one object is read or one record is written, at once or as it was planned."""

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox as ServiceM8Sandbox
from app.errors import InvalidInput
from app.records.service import RecordNotFound
from app.syncs.models import RunStatus, SyncRun
from tests import factories
from tests.two_way.office import ALL, Office
from tests.two_way.planning import applied, busy, changes, everything, items, planned


async def _read(office: Office, external_id: str) -> SyncRun:
    narrowed = {"external_id": external_id}
    run = await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"], narrowed_to=narrowed)
    return await factories.finish(office.hub, office.operator, run)


async def _writing(office: Office, record_id: object, **more: object) -> SyncRun:
    run = await office.hub.syncs.start(
        office.operator,
        office.connection.id,
        streams=["partners"],
        direction="push",
        narrowed_to={"record_id": str(record_id)},
        **more,  # type: ignore[arg-type]
    )
    return await factories.finish(office.hub, office.operator, run)


async def test_a_plan_of_one_object_shows_and_takes_over_just_that(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    before = await everything(office)

    plan = await planned(office, mode="incremental", narrowed_to={"external_id": ids["Renamed"]})

    assert await everything(office) == before
    assert [(item.key, item.kind, item.fields["name"]["after"]) for item in await items(office, plan)] == [
        (ids["Renamed"], "update", "Renamed there")
    ]
    run = await applied(office, plan)
    assert (run.status, run.counts.read, run.counts.updated) == (RunStatus.COMPLETED, 1, 1)
    assert (await office.record(ids["Renamed"])).data["name"] == "Renamed there"
    assert (await office.record(ids["Gone"])).deleted_at is None


async def test_a_run_of_one_object_is_taken_back_like_any_other(office: Office):
    ids = await busy(office)
    await office.sandbox.edit_partner(ids["Kept"], customer="Kept there")
    run = await office.hub.syncs.start(
        office.operator, office.connection.id, streams=["partners"], narrowed_to={"external_id": ids["Kept"]}
    )
    run = await factories.finish(office.hub, office.operator, run)
    assert (run.counts.read, run.counts.updated) == (1, 1)

    undo = await office.hub.plans.undo(office.operator, run.id)
    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, undo.run_id))
    taken_back = await applied(office, undo)

    assert taken_back.status is RunStatus.COMPLETED
    assert (await office.record(ids["Kept"])).data["name"] == "Kept"


async def test_an_object_that_is_not_found_ends_the_run_with_a_sentence_and_deletes_nothing(office: Office):
    ids = await busy(office)
    await office.sandbox.delete_partner(ids["Kept"])

    run = await office.hub.syncs.start(
        office.operator, office.connection.id, streams=["partners"], narrowed_to={"external_id": ids["Kept"]}
    )
    run = await factories.finish(office.hub, office.operator, run)

    assert run.status is RunStatus.FAILED
    assert f"has no {ids['Kept']}" in (run.error_message or "")
    assert (await office.record(ids["Kept"])).deleted_at is None


async def test_reading_one_object_leaves_what_the_next_run_begins_with(office: Office):
    ids = await busy(office)
    for name in ("Kept", "Renamed"):
        await office.sandbox.edit_partner(ids[name], customer=f"{name} there")

    run = await office.hub.syncs.start(
        office.operator, office.connection.id, streams=["partners"], narrowed_to={"external_id": ids["Kept"]}
    )
    await factories.finish(office.hub, office.operator, run)
    await office.run(mode="incremental")

    assert (await office.record(ids["Renamed"])).data["name"] == "Renamed there"


async def test_a_plan_of_one_record_writes_just_that_and_the_others_go_on_waiting(office: Office):
    ids = await busy(office)
    await office.edit(await office.record(ids["Kept"]), name="Kept, ours")
    record = await office.record(ids["Kept"])

    plan = await planned(office, direction="push", narrowed_to={"record_id": str(record.id)})

    assert [(item.key, item.fields["customer"]) for item in await items(office, plan)] == [
        (str(record.id), {"before": "Kept", "after": "Kept, ours"})
    ]
    assert await office.sandbox.effects(object="partner") == []
    run = await applied(office, plan)
    assert (run.status, run.counts.updated) == (RunStatus.COMPLETED, 1)
    assert (await office.sandbox.partner(ids["Kept"]))["customer"] == "Kept, ours"
    assert (await office.sandbox.partner(ids["Both"]))["customer"] == "Both"
    both = await office.mapped((await office.record(ids["Both"])).id)
    assert both is not None
    assert both.status == "pending"


async def test_a_run_of_one_record_makes_it_there_and_again_does_nothing(office: Office):
    kranj = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
    record, other = [await office.create(name, tax_number=f"0000000{name[0]}", address=kranj) for name in ("1 Mine", "2 Other")]

    first, second = await _writing(office, record.id), await _writing(office, record.id)

    assert (first.status, first.counts.created) == (RunStatus.COMPLETED, 1)
    assert (second.status, second.counts.created, second.counts.updated) == (RunStatus.COMPLETED, 0, 0)
    created = await office.sandbox.effects(object="partner", effect="created")
    assert [(await office.sandbox.partner(one["mk_id"]))["customer"] for one in created] == ["1 Mine"]
    assert await office.mapped(other.id) is None


async def test_a_record_of_nobody_of_another_organization_or_of_another_stream_is_refused(office: Office, hub, metakocka):
    abroad = await Office.open(hub, await factories.make_organization(hub), metakocka)
    foreign = await abroad.create("Foreign")
    document = await office.hub.edits.create(office.operator, "sales_document", {"kind": "offer", "title": "An offer"})

    for record_id in (foreign.id, office.connection.id):
        with pytest.raises(RecordNotFound):
            await _writing(office, record_id)
    with pytest.raises(InvalidInput) as refused:
        await _writing(office, document.id)
    assert "streams" in refused.value.fields


async def test_an_object_comes_with_its_parts(hub, operator, sandbox: ServiceM8Sandbox):
    await sandbox.reset()
    company = await sandbox.create("company", name="Acme")
    jobs = [(await sandbox.create("job", company_uuid=company["uuid"], status="Quote"))["uuid"] for _ in range(2)]
    connection = await factories.make_connection(hub, operator, sandbox)
    await factories.sync(hub, operator, connection)
    for job in jobs:
        await sandbox.add_line(job, name="Labour", quantity="2", price="10")

    plan = await hub.plans.plan(operator, connection.id, streams=["jobs"], narrowed_to={"external_id": jobs[0]})
    await factories.finish(hub, operator, await hub.syncs.run(operator, plan.run_id))
    run = await factories.finish(hub, operator, await hub.plans.apply(operator, plan.id))

    assert (run.status, run.counts.updated) == (RunStatus.COMPLETED, 1)
    found = {record.external_id: record for record in (await hub.records.jobs(operator, ALL)).items}
    assert [[line["description"] for line in found[job].data.get("lines", ())] for job in jobs] == [["Labour"], []]
