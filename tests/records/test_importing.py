"""Single objects taken over by their ids, what one side lacks, and where records stand; ServiceM8's and Metakocka's sandboxes."""

import pytest

from app.actors import Role
from app.connections.service import ConnectionNotFound
from app.connectors.errors import ProviderUnavailable
from app.connectors.metakocka.sandbox.testing import RunningSandbox as RunningMetakocka
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.errors import InvalidInput, PermissionDenied
from app.paging import PageRequest
from app.syncs.importing import ImportOutcome
from app.syncs.models import RunStatus
from tests.connectors.metakocka.company import add_document
from tests.factories import colleague, finish, make_connection, make_organization, sync
from tests.two_way.office import Office

ALL = PageRequest(100)
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


class Yard:
    """A connection to ServiceM8."""

    def __init__(self, hub, operator, sandbox, connection) -> None:
        self.hub, self.operator, self.sandbox, self.connection = hub, operator, sandbox, connection

    async def company(self, name: str, **values) -> str:
        return (await self.sandbox.create("company", name=name, **values))["uuid"]

    async def one(self, uuid: str, stream: str = "companies"):
        return await self.hub.imports.one(self.operator, self.connection.id, stream, uuid)

    async def many(self, *uuids: str):
        return await self.hub.imports.many(self.operator, self.connection.id, "companies", uuids)

    async def run(self, mode: str = "incremental"):
        return await sync(self.hub, self.operator, self.connection, streams=["companies"], mode=mode)

    async def unsynced(self, page: PageRequest = ALL):
        return await self.hub.unsynced.objects(self.operator, self.connection.id, "companies", page)


@pytest.fixture
async def yard(hub, operator, sandbox: RunningSandbox) -> Yard:
    await sandbox.reset()
    return Yard(hub, operator, sandbox, await make_connection(hub, operator, sandbox))


@pytest.fixture
async def office(hub, operator, metakocka: RunningMetakocka) -> Office:
    return await Office.open(hub, operator, metakocka)


async def test_one_object_is_taken_over_with_its_children_and_again_when_it_changed(yard: Yard):
    uuid = await yard.company("Čebelar")
    await yard.sandbox.create("companycontact", company_uuid=uuid, first="Ann", email="ann@acme.test", type="BILLING")

    created = await yard.one(uuid)
    same = await yard.one(uuid)
    await yard.sandbox.edit("company", uuid, name="Čebelar & sinovi")
    updated = await yard.one(uuid)

    assert [one.outcome for one in (created, same, updated)] == [ImportOutcome.CREATED, ImportOutcome.UNCHANGED, ImportOutcome.UPDATED]
    assert (created.record_id, created.mapping_id) == (updated.record_id, updated.mapping_id)
    record = await yard.hub.records.get(yard.operator, created.record_id)
    assert (record.data["name"], record.data["email"]) == ("Čebelar & sinovi", "ann@acme.test")
    (mapping,) = (await yard.hub.records.mappings(yard.operator, ALL, record_id=record.id)).items
    assert (mapping.id, mapping.synced_by) == (created.mapping_id, yard.operator.name)
    assert (await yard.run("full")).counts.unchanged == 1


@pytest.mark.requirement("MKC-40", "MKD-05", "MKD-12")
async def test_a_partner_and_an_offer_of_metakocka_are_taken_over_by_their_ids(office: Office):
    mk_id = await office.add("Acme")
    offer = (await add_document(office.sandbox, "sales_offer", await office.sandbox.partner(mk_id), title="Roof", status="open"))["mk_id"]

    partner = await office.hub.imports.one(office.operator, office.connection.id, "partners", mk_id)
    document = await office.hub.imports.one(office.operator, office.connection.id, "offers", offer)

    assert (partner.outcome, document.outcome) == (ImportOutcome.CREATED, ImportOutcome.CREATED)
    assert (await office.record(mk_id)).id == partner.record_id
    assert (await office.hub.records.get(office.operator, document.record_id)).data["kind"] == "offer"


@pytest.mark.requirement("MKC-41", "MKD-13")
async def test_of_many_each_has_its_own_result(yard: Yard):
    good, bad, gone = await yard.company("Good"), await yard.company(""), await yard.company("Gone")
    await yard.sandbox.edit("company", gone, active=0)
    nowhere = "00000000-0000-4000-8000-000000000000"

    report = await yard.many(good, bad, gone, nowhere, good)

    results = {one.external_id: one for one in report.results}
    assert (report.total, report.imported, report.failed) == (4, 1, 3)
    assert [results[id].outcome for id in (good, bad, gone, nowhere)] == [
        ImportOutcome.CREATED,
        ImportOutcome.FAILED,
        ImportOutcome.MISSING,
        ImportOutcome.MISSING,
    ]
    failed = await yard.hub.failed_records.get(yard.operator, results[bad].failed_record_id)
    assert (failed.external_id, failed.sync_run_id, failed.message) == (bad, None, results[bad].message)
    assert nowhere in results[nowhere].message


async def test_once_the_connection_fails_the_rest_is_not_tried(yard: Yard):
    uuids = [await yard.company(f"Company {number}") for number in range(3)]
    await yard.sandbox.fault("503", path="*company.json", times=None)
    try:
        report = await yard.many(*uuids)
        with pytest.raises(ProviderUnavailable):
            await yard.one(uuids[0])
    finally:
        await yard.sandbox.clear_faults()

    assert (report.total, report.failed) == (3, 3)
    assert len({one.message for one in report.results}) == 1
    assert (await yard.many(*uuids)).imported == 3


@pytest.mark.requirement("MKC-42", "MKD-32")
async def test_all_objects_are_a_full_run(yard: Yard, hub):
    for number in range(3):
        await yard.company(f"Company {number}")
    await yard.run()

    run = await finish(hub, yard.operator, await hub.imports.all(yard.operator, yard.connection.id, "companies"))

    assert (run.status, run.mode, run.counts.read) == (RunStatus.COMPLETED, "full", 3)


async def test_what_cannot_be_imported_is_refused(yard: Yard, hub, owner):
    stranger, viewer = await make_organization(hub), colleague(owner, Role.VIEWER)

    for ids in ([], [" "], ["x\ay"], ["x" * 501], [str(number) for number in range(101)]):
        with pytest.raises(InvalidInput):
            await yard.many(*ids)
    with pytest.raises(InvalidInput, match="no stream"):
        await yard.one("x", "quotes")
    with pytest.raises(ConnectionNotFound):
        await hub.imports.one(stranger, yard.connection.id, "companies", "x")
    with pytest.raises(PermissionDenied):
        await hub.imports.one(viewer, yard.connection.id, "companies", "x")


@pytest.mark.requirement("MKD-04", "MKD-11")
async def test_what_the_last_complete_scan_named_and_nobody_took_over_is_unsynced(yard: Yard):
    failing = [await yard.company("") for _ in range(3)]
    well, archived = await yard.company("Well"), await yard.company("Archived", active=0)
    assert (await yard.unsynced()).scan is None
    first = await yard.run()

    found = await yard.unsynced(PageRequest(2))
    rest = await yard.unsynced(PageRequest(2, found.page.cursors[-1]))

    assert found.scan.sync_run_id == first.id
    assert [one.external_id for one in [*found.page.items, *rest.page.items]] == sorted(failing)
    assert all("name" in one.message and one.failed_record_id for one in found.page.items)
    await yard.sandbox.edit("company", failing[0], name="Well by now")
    await yard.many(failing[0])
    await yard.sandbox.delete("company", well)
    second = await yard.run("full")
    later = await yard.unsynced()
    assert later.scan.sync_run_id == second.id
    assert {one.external_id for one in later.page.items} == set(failing[1:])
    assert archived not in {one.external_id for one in later.page.items}


@pytest.mark.requirement("MKD-04")
async def test_a_record_without_a_living_counterpart_is_unsynced(office: Office):
    gone, kept = await office.add("Gone"), await office.add("Kept")
    await office.run()
    await office.policy(provider_deletions="ignore")
    await office.sandbox.delete_partner(gone)
    await office.run()
    only_here = await office.create("Only here")
    merged = await office.create("Merged")
    await office.hub.merges.merge(office.operator, merged.id, (await office.record(kept)).id, {})

    unsynced = office.hub.unsynced.records
    first = await unsynced(office.operator, office.connection.id, "partners", PageRequest(1))
    rest = await unsynced(office.operator, office.connection.id, "partners", PageRequest(1, first.cursors[-1]))

    assert [one.id for one in [*first.items, *rest.items]] == [(await office.record(gone)).id, only_here.id]
    assert (first.has_next, rest.has_next) == (True, False)


@pytest.mark.requirement("MKD-03", "MKD-06", "MKD-07")
async def test_where_many_records_stand_is_told_at_once(office: Office):
    synced, edited, torn, goes = [await office.add(name) for name in ("Synced", "Edited", "Torn", "Goes")]
    await office.run()
    await office.edit(await office.record(edited), phone="+386 1 000")
    await office.edit(await office.record(torn), name="Ours")
    await office.sandbox.edit_partner(torn, customer="Theirs")
    await office.run()
    refused, queued, alone = [await office.create(name) for name in ("No address", "Queued", "Alone")]
    push = office.hub.pushes
    await push.send(office.operator.organization_id, await push.queue(office.operator, refused.id, office.connection.id))
    delivery = await push.queue(office.operator, queued.id, office.connection.id)
    await office.hub.merges.merge(office.operator, (await office.record(synced)).id, (await office.record(goes)).id, {})
    records = {name: (await office.record(mk_id)).id for name, mk_id in (("synced", synced), ("edited", edited), ("torn", torn))}
    records |= {"refused": refused.id, "queued": queued.id, "alone": alone.id}

    found = await office.hub.counterparts.of_records(office.operator, list(records.values()))

    at = {name: found[id] for name, id in records.items()}
    assert {(one.external_id, one.status, one.is_waiting, one.merged_id is None) for one in at["synced"]} == {
        (synced, "synced", False, True),
        (goes, "synced", False, False),
    }
    assert [(one.external_id, one.status, one.is_waiting) for one in at["edited"]] == [(edited, "pending", True)]
    assert [(one.status, one.conflicts) for one in at["torn"]] == [("conflict", ("name",))]
    ((one,), (waiting,)) = at["refused"], at["queued"]
    assert (one.status, one.external_id, one.stream, one.failed_record_id is not None) == ("failed", None, "partners", True)
    assert one.last_error
    assert (waiting.status, waiting.delivery_id, waiting.is_waiting) == ("pending", delivery, True)
    assert at["alone"] == []


async def test_where_records_of_others_stand_is_not_told(office: Office, hub):
    mk_id = await office.add("Acme")
    await office.run()
    record, stranger = await office.record(mk_id), await make_organization(hub)

    assert await hub.counterparts.of_record(stranger, record.id) == []
    with pytest.raises(ConnectionNotFound):
        await hub.unsynced.objects(stranger, office.connection.id, "partners", ALL)
    with pytest.raises(ConnectionNotFound):
        await hub.unsynced.records(stranger, office.connection.id, "partners", ALL)
