"""Contacts that are one: merged, followed, parted again and suggested; over HTTP from ServiceM8's sandbox, which is only read."""

from uuid import UUID

import pytest

from app.actors import Role
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch
from app.errors import InvalidInput, PermissionDenied
from app.paging import PageRequest
from app.records.editing import RecordChanged
from app.records.merging import NotMergeable, NotMerged
from app.records.service import RecordNotFound
from tests.factories import colleague, key, make_connection, make_organization, sync

ALL = PageRequest(100)


class Town:
    """A ServiceM8 with two companies that are the same, and their records."""

    def __init__(self, hub, operator, sandbox: RunningSandbox, connection) -> None:
        self.hub, self.operator, self.sandbox, self.connection = hub, operator, sandbox, connection
        self.stays = self.goes = ""
        """Their ids at ServiceM8."""

    async def company(self, name: str, **values) -> str:
        return (await self.sandbox.create("company", name=name, **values))["uuid"]

    async def run(self, mode: str = "incremental", **values):
        return await sync(self.hub, self.operator, self.connection, mode=mode, **values)

    async def mapping(self, uuid: str):
        found = (await self.hub.records.mappings(self.operator, ALL, connection_id=self.connection.id)).items
        return next(one for one in found if one.external_id == uuid)

    async def record(self, uuid: str):
        return await self.hub.records.get(self.operator, (await self.mapping(uuid)).record_id)

    async def edit(self, uuid: str, **changes):
        record = await self.record(uuid)
        return await self.hub.edits.update(self.operator, record.id, version=record.version, changes=changes)

    async def merge(self, *loser_fields: str, **values):
        stays, goes = await self.record(self.stays), await self.record(self.goes)
        fields = dict.fromkeys(loser_fields, "loser")
        return await self.hub.merges.merge(self.operator, stays.id, goes.id, fields, **values)

    async def unmerge(self):
        return await self.hub.merges.unmerge(self.operator, (await self.record(self.goes)).id)

    async def listed(self) -> list[str]:
        return [one.data["name"] for one in (await self.hub.records.contacts(self.operator, ALL)).items]

    async def conflicts(self):
        return (await self.hub.conflicts.conflicts(self.operator, ALL)).items

    async def quote(self, uuid: str, title: str = "Switchboard") -> UUID:
        job = await self.sandbox.create("job", company_uuid=uuid, status="Quote", job_description=title)
        await self.sandbox.add_line(job["uuid"], name="Labour", quantity="1", price="90")
        await self.run()
        return next(one.id for one in (await self.hub.quotes.quotes(self.operator, ALL)).items if one.title == title)


@pytest.fixture
async def town(hub, operator, sandbox: RunningSandbox) -> Town:
    await sandbox.reset()
    found = Town(hub, operator, sandbox, await make_connection(hub, operator, sandbox))
    found.stays = await found.company("Čebelar", website="https://cebelar.test")
    found.goes = await found.company("ČEBELAR d.o.o.", website="https://old.test", address="1 High St")
    await found.run()
    return found


async def test_the_survivor_gets_the_chosen_values_and_the_loser_points_to_it(town: Town):
    before = await town.record(town.stays)

    merged = await town.merge("name", "address")

    assert (merged.data["name"], merged.data["website"]) == ("ČEBELAR d.o.o.", "https://cebelar.test")
    assert merged.data["address"] == (await town.record(town.goes)).data["address"]
    loser = await town.record(town.goes)
    assert (loser.deleted_at is not None, loser.merged_into) == (True, merged.id)
    assert await town.listed() == ["ČEBELAR d.o.o."]
    (earlier,) = await town.hub.records.history(town.operator, merged.id)
    assert (earlier.data, earlier.replaced_by) == (before.data, town.operator.name)
    (entry,) = [one for one in (await town.hub.audit.entries(town.operator, ALL, subject_id=merged.id)).items if "merged" in one.event]
    assert entry.data == {"loser_id": str(loser.id), "fields": ["address", "name"]}


async def test_a_preview_shows_what_differs_and_suggests_what_is_there(town: Town):
    stays, goes = await town.record(town.stays), await town.record(town.goes)

    choices = {one.field: one for one in (await town.hub.merges.preview(town.operator, stays.id, goes.id)).choices}

    assert set(choices) == {"name", "website", "address"}
    assert (choices["website"].survivor, choices["website"].loser) == ("https://cebelar.test", "https://old.test")
    assert (choices["name"].suggested, choices["address"].suggested) == ("survivor", "loser")


async def test_no_sync_revives_the_merged_one(town: Town):
    await town.merge()
    loser = await town.record(town.goes)

    run = await town.run("full")
    await town.sandbox.edit("company", town.goes, active=0)
    await town.run()
    await town.sandbox.edit("company", town.goes, active=1)
    await town.run()

    assert (run.counts.created, run.counts.updated, run.counts.failed) == (0, 0, 0)
    assert (await town.record(town.goes)).merged_into == loser.merged_into
    assert await town.listed() == ["Čebelar"]


async def test_what_the_losers_provider_changes_reaches_the_survivor_where_it_has_what_both_had(town: Town):
    await town.merge("address")
    loser = await town.record(town.goes)
    await town.sandbox.edit("company", town.goes, address="9 Low St", website="https://newer.test")

    run = await town.run()

    survivor = await town.record(town.stays)
    assert (survivor.data["address"]["text"], survivor.data["website"]) == ("9 Low St", "https://cebelar.test")
    assert run.counts.updated == 1
    mapping = await town.mapping(town.goes)
    assert (mapping.status, mapping.record_id) == ("synced", loser.id)
    assert mapping.last_error == "It was merged; changed here since, and left out there: website."
    assert await town.conflicts() == []


async def test_two_that_were_merged_into_one_change_in_one_page(town: Town):
    third = await town.company("Cebelar", website="https://third.test")
    await town.run()
    await town.merge("address")
    stays = await town.record(town.stays)
    await town.hub.merges.merge(town.operator, stays.id, (await town.record(third)).id, {"website": "loser"})
    version = (await town.record(town.stays)).version
    await town.sandbox.edit("company", town.goes, address="9 Low St")
    await town.sandbox.edit("company", third, website="https://three.test")
    await town.sandbox.edit("company", town.stays, name="Čebelar & sinovi")

    await town.run("full")

    survivor = await town.record(town.stays)
    assert (survivor.data["address"]["text"], survivor.data["website"]) == ("9 Low St", "https://three.test")
    assert survivor.data["name"] == "Čebelar & sinovi"
    assert survivor.version <= version + 3


async def test_parted_again_both_are_as_they_were(town: Town):
    stays, goes = await town.record(town.stays), await town.record(town.goes)
    await town.merge("name", "address")

    parted = await town.unmerge()

    assert (parted.survivor.data, parted.loser.data, parted.changed_since) == (stays.data, goes.data, [])
    assert (parted.loser.deleted_at, parted.loser.merged_into) == (None, None)
    assert sorted(await town.listed()) == ["ČEBELAR d.o.o.", "Čebelar"]
    run = await town.run("full")
    assert (run.counts.updated, await town.conflicts()) == (0, [])
    with pytest.raises(NotMerged):
        await town.unmerge()


async def test_what_changed_since_stays_when_they_are_parted_and_is_named(town: Town):
    before = await town.record(town.stays)
    await town.merge("name", "address")
    await town.edit(town.stays, name="Somebody else's name")
    await town.sandbox.edit("company", town.goes, website="https://newer.test")
    await town.run()

    parted = await town.unmerge()

    assert parted.survivor.data == before.data | {"name": "Somebody else's name"}
    assert parted.loser.data["website"] == "https://newer.test"
    since = {(one.record_id, one.field): (one.before, one.now) for one in parted.changed_since}
    assert since[parted.survivor.id, "name"] == ("Čebelar", "Somebody else's name")
    assert since[parted.loser.id, "website"] == ("https://old.test", "https://newer.test")


async def test_merges_in_a_row_are_taken_back_from_the_last(town: Town):
    third = await town.company("Cebelar")
    await town.run()
    await town.merge()
    stays, last = await town.record(town.stays), await town.record(third)
    await town.hub.merges.merge(town.operator, last.id, stays.id, {})

    assert (await town.record(town.goes)).merged_into == last.id
    with pytest.raises(NotMergeable, match="take that back first"):
        await town.unmerge()
    await town.hub.merges.unmerge(town.operator, stays.id)
    assert (await town.record(town.goes)).merged_into == stays.id
    await town.unmerge()
    assert len(await town.listed()) == 3


async def test_quotes_follow_the_survivor_and_come_back(town: Town):
    quote_id = await town.quote(town.goes)
    stays = await town.record(town.stays)
    contact = await town.hub.clients.invite(town.operator, contact_record_id=stays.id, email=f"{key()}@stays.test", name="Ana")

    await town.merge()
    merged = await town.hub.quotes.quote(town.operator, quote_id)
    later = await town.quote(town.goes, "Later")
    followed = await town.hub.quotes.quote(town.operator, later)
    await town.unmerge()
    parted = await town.hub.quotes.quote(town.operator, quote_id)

    assert (merged.client_id, merged.contact_name) == (contact.client_id, "Čebelar")
    assert (followed.client_id, followed.contact_name) == (contact.client_id, "Čebelar")
    assert (parted.client_id, parted.contact_name) == (None, "ČEBELAR d.o.o.")


async def test_jobs_follow_the_survivor_and_go_back(town: Town):
    job = await town.quote(town.goes)
    stays, goes = await town.record(town.stays), await town.record(town.goes)

    await town.merge()
    merged = (await town.hub.records.jobs(town.operator, ALL, contact_id=stays.id)).items
    await town.unmerge()
    parted = [(await town.hub.records.jobs(town.operator, ALL, contact_id=one.id)).items for one in (stays, goes)]

    assert [one.id for one in merged] == [job]
    assert [[one.id for one in jobs] for jobs in parted] == [[], [job]]


async def test_the_losers_client_becomes_the_survivors_and_goes_back(town: Town):
    quote_id = await town.quote(town.goes)
    goes = await town.record(town.goes)
    contact = await town.hub.clients.invite(town.operator, contact_record_id=goes.id, email=f"{key()}@goes.test", name="Ana")

    survivor = await town.merge()
    merged = await town.hub.clients.client(town.operator, contact.client_id)
    await town.unmerge()
    parted = await town.hub.clients.client(town.operator, contact.client_id)

    assert (merged.contact_record_id, parted.contact_record_id) == (survivor.id, goes.id)
    assert (await town.hub.quotes.quote(town.operator, quote_id)).client_id == contact.client_id


async def test_of_two_clients_the_losers_people_and_quotes_go_to_the_survivors_and_come_back(town: Town):
    quote_id = await town.quote(town.goes)
    stays, goes = await town.record(town.stays), await town.record(town.goes)
    ana = await town.hub.clients.invite(town.operator, contact_record_id=stays.id, email=f"{key()}@stays.test", name="Ana")
    bor = await town.hub.clients.invite(town.operator, contact_record_id=goes.id, email=f"{key()}@goes.test", name="Bor")

    await town.merge()
    merged = await town.hub.clients.client(town.operator, ana.client_id)
    moved = await _clients_of_quote(town, quote_id)
    await town.unmerge()
    parted = await town.hub.clients.client(town.operator, bor.client_id)

    assert {one.id for one in merged.contacts} == {ana.id, bor.id}
    assert moved == {ana.client_id}
    assert [one.id for one in parted.contacts] == [bor.id]
    assert await _clients_of_quote(town, quote_id) == {bor.client_id}


async def _clients_of_quote(town: Town, quote_id: UUID) -> set[UUID]:
    """Whose the quote, its lines and versions are."""
    sql = """SELECT client_id FROM quote WHERE organization_id = $1 AND id = $2
        UNION SELECT client_id FROM quote_line WHERE organization_id = $1 AND quote_id = $2
        UNION SELECT client_id FROM quote_version WHERE organization_id = $1 AND quote_id = $2"""
    return {row["client_id"] for row in await fetch(town.operator.scope, sql, town.operator.organization_id, quote_id)}


async def test_contacts_that_share_a_tax_number_an_address_or_a_name_are_suggested(town: Town):
    create = town.hub.edits.create
    one = await create(town.operator, "contact", {"name": "Žaga", "tax_number": "SI 1234.5678", "email": "Info@zaga.test"})
    two = await create(town.operator, "contact", {"name": "Žaga in sin", "tax_number": "12345678"})
    three = await create(town.operator, "contact", {"name": "ŽAGA", "email": "info@ZAGA.test"})
    await create(town.operator, "contact", {"name": "Alone", "tax_number": "999", "email": "alone@x.test"})

    first = await town.hub.duplicates.duplicates(town.operator, PageRequest(2))
    rest = await town.hub.duplicates.duplicates(town.operator, PageRequest(2, first.cursors[-1]))

    assert [(found.by, found.value, found.count) for found in [*first.items, *rest.items]] == [
        ("tax_number", "12345678", 2),
        ("email", "info@zaga.test", 2),
        ("name", "žaga", 2),
    ]
    assert [{record.id for record in found.contacts} for found in [*first.items, *rest.items]] == [
        {one.id, two.id},
        {one.id, three.id},
        {one.id, three.id},
    ]
    assert (await town.hub.duplicates.duplicates(town.operator, ALL, connection_id=town.connection.id)).items == []
    await town.hub.merges.merge(town.operator, one.id, three.id, {})
    assert [found.by for found in (await town.hub.duplicates.duplicates(town.operator, ALL)).items] == ["tax_number"]


async def test_what_cannot_be_merged_is_refused(town: Town):
    stays, goes = await town.record(town.stays), await town.record(town.goes)
    merge = town.hub.merges.merge

    with pytest.raises(NotMergeable, match="itself"):
        await merge(town.operator, stays.id, stays.id, {})
    with pytest.raises(InvalidInput, match="no field"):
        await merge(town.operator, stays.id, goes.id, {"edited_at": "loser"})
    with pytest.raises(InvalidInput, match="survivor or loser"):
        await merge(town.operator, stays.id, goes.id, {"name": "both"})
    with pytest.raises(RecordChanged):
        await merge(town.operator, stays.id, goes.id, {}, versions={goes.id: 7})
    await town.edit(town.goes, name="Ours")
    await town.sandbox.edit("company", town.goes, name="Theirs")
    await town.run()
    with pytest.raises(NotMergeable, match="open conflicts"):
        await merge(town.operator, stays.id, goes.id, {})


async def test_a_merged_one_is_not_restored_by_itself(town: Town):
    await town.merge()
    loser = await town.record(town.goes)

    with pytest.raises(InvalidInput, match="take the merge back"):
        await town.hub.edits.restore(town.operator, loser.id, version=loser.version, to_version=1)
    with pytest.raises(NotMergeable, match="merged already"):
        await town.merge()


async def test_a_repeated_merge_merges_once(town: Town):
    stays, goes, same = await town.record(town.stays), await town.record(town.goes), key()

    for _ in range(2):
        await town.hub.merges.merge(town.operator, stays.id, goes.id, {}, idempotency_key=same)

    assert len(await town.hub.merges.merged_into(town.operator, stays.id)) == 1


async def test_only_operators_of_the_same_organization_merge(town: Town, hub, owner):
    stays, goes = await town.record(town.stays), await town.record(town.goes)
    stranger, viewer = await make_organization(hub), colleague(owner, Role.VIEWER)

    with pytest.raises(RecordNotFound):
        await hub.merges.merge(stranger, stays.id, goes.id, {})
    with pytest.raises(PermissionDenied):
        await hub.merges.merge(viewer, stays.id, goes.id, {})
    await town.merge()
    with pytest.raises(NotMerged):
        await hub.merges.unmerge(stranger, goes.id)
    with pytest.raises(PermissionDenied):
        await hub.merges.unmerge(viewer, goes.id)
    assert (await hub.duplicates.duplicates(stranger, ALL)).items == []
    assert await hub.merges.merged_into(stranger, stays.id) == []
