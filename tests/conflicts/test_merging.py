"""Records that the hub and a provider both changed, over HTTP from ServiceM8's sandbox, which is only read."""

import asyncio
from dataclasses import replace

import pytest

from app.conflicts.models import StreamPolicy
from app.conflicts.rules import Rule
from app.conflicts.service import ConflictSettled, PolicyChanged
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch
from app.errors import InvalidInput
from app.paging import PageRequest
from app.records.editing import RecordChanged
from tests.factories import make_connection, sync

ALL = PageRequest(100)


class Company:
    """One company at the provider and its record in the hub."""

    def __init__(self, hub, operator, sandbox: RunningSandbox, connection, uuid: str) -> None:
        self.hub, self.operator, self.sandbox, self.connection, self.uuid = hub, operator, sandbox, connection, uuid

    async def record(self):
        rows = await fetch(
            self.operator.scope,
            "SELECT record_id FROM mapping WHERE organization_id = $1 AND external_id = $2 AND connection_id = $3",
            self.operator.organization_id,
            self.uuid,
            self.connection.id,
        )
        return await self.hub.records.get(self.operator, rows[0]["record_id"])

    async def edit(self, **changes):
        record = await self.record()
        return await self.hub.edits.update(self.operator, record.id, version=record.version, changes=changes)

    async def edit_there(self, **changes) -> None:
        await self.sandbox.edit("company", self.uuid, **changes)

    async def sync(self, mode: str = "incremental"):
        return await sync(self.hub, self.operator, self.connection, streams=["companies"], mode=mode)

    async def conflicts(self, **wanted):
        return (await self.hub.conflicts.conflicts(self.operator, ALL, connection_id=self.connection.id, **wanted)).items

    @property
    def stream(self):
        return self.hub.connectors["servicem8"].streams["companies"]

    async def policy(self, **values) -> StreamPolicy:
        before = await self.hub.conflicts.policy(self.operator, self.connection.id, "companies")
        return await self.hub.conflicts.set_policy(self.operator, replace(before, **values), self.stream)

    async def mapping(self):
        record = await self.record()
        (mapping,) = (await self.hub.records.mappings(self.operator, ALL, record_id=record.id)).items
        return mapping


@pytest.fixture
async def company(hub, operator, sandbox: RunningSandbox) -> Company:
    await sandbox.reset()
    made = await sandbox.create("company", name="Čebelar", website="https://cebelar.test", address="1 High St")
    connection = await make_connection(hub, operator, sandbox)
    found = Company(hub, operator, sandbox, connection, made["uuid"])
    await found.sync()
    return found


async def test_each_side_keeps_what_it_alone_changed(company: Company):
    await company.edit(website="https://hub.test", notes="Rings twice")
    await company.edit_there(name="Čebelar & sinovi")

    await company.sync()

    data = (await company.record()).data
    assert (data["name"], data["website"], data["notes"]) == ("Čebelar & sinovi", "https://hub.test", "Rings twice")
    assert await company.conflicts() == []


@pytest.mark.requirement("MKC-05", "MKC-45")
async def test_a_field_that_both_changed_differently_waits_with_its_three_values(company: Company):
    await company.edit(name="Čebelar hub")
    await company.edit_there(name="Čebelar there", website="https://there.test")

    await company.sync()

    (conflict,) = await company.conflicts()
    assert (conflict.field, conflict.base, conflict.ours, conflict.theirs) == ("name", "Čebelar", "Čebelar hub", "Čebelar there")
    data = (await company.record()).data
    assert (data["name"], data["website"]) == ("Čebelar hub", "https://there.test")
    assert (await company.mapping()).status == "conflict"


async def test_a_conflict_outlives_later_syncs_and_shows_both_sides_as_they_are(company: Company):
    await company.edit(name="Ours")
    await company.edit_there(name="Theirs")
    await company.sync()
    await company.sync("full")
    await company.edit_there(name="Theirs again")
    await company.sync()

    (conflict,) = await company.conflicts()
    assert (conflict.base, conflict.ours, conflict.theirs) == ("Čebelar", "Ours", "Theirs again")
    assert (await company.record()).data["name"] == "Ours"


@pytest.mark.parametrize(
    ("resolution", "value", "name"), [("ours", None, "Ours"), ("theirs", None, "Theirs"), ("value", "Another", "Another")]
)
async def test_a_conflict_is_resolved_once_and_stays_so(company: Company, resolution: str, value: str | None, name: str):
    await company.edit(name="Ours")
    await company.edit_there(name="Theirs")
    await company.sync()
    (conflict,) = await company.conflicts()

    resolved = await company.hub.conflicts.resolve(company.operator, conflict.id, resolution=resolution, value=value)
    await company.sync("full")

    assert (resolved.resolution, resolved.resolved_by) == (resolution, company.operator.name)
    assert (await company.record()).data["name"] == name
    assert await company.conflicts() == []
    with pytest.raises(ConflictSettled):
        await company.hub.conflicts.resolve(company.operator, conflict.id, resolution="theirs")


async def test_a_conflict_ends_by_itself_when_both_sides_come_to_the_same(company: Company):
    await company.edit(name="Ours")
    await company.edit_there(name="Theirs")
    await company.sync()
    await company.edit_there(name="Ours")

    await company.sync()

    assert await company.conflicts() == []
    (settled,) = await company.conflicts(open_only=False)
    assert settled.resolution == "agreed"
    assert (await company.mapping()).status == "synced"


@pytest.mark.requirement("MKC-52")
@pytest.mark.parametrize(("rule", "name"), [(Rule.PROVIDER_WINS, "Theirs"), (Rule.HUB_WINS, "Ours"), (Rule.NEWEST, "Theirs")])
async def test_a_policy_decides_and_a_rule_for_a_field_goes_before_it(company: Company, rule: Rule, name: str):
    await company.policy(conflicts=Rule.ASK, field_conflicts={"name": rule})
    await company.edit(name="Ours", website="https://ours.test")
    await asyncio.sleep(1.1)  # the provider counts seconds
    await company.edit_there(name="Theirs", website="https://theirs.test")

    await company.sync()

    assert (await company.record()).data["name"] == name
    assert [conflict.field for conflict in await company.conflicts()] == ["website"]


async def test_always_do_this_makes_a_rule_and_decides_what_is_open(company: Company):
    await company.edit(name="Ours")
    await company.edit_there(name="Theirs")
    await company.sync()
    (conflict,) = await company.conflicts()

    policy, resolved = await company.hub.conflicts.always(company.operator, conflict.id, Rule.PROVIDER_WINS, company.stream)

    assert policy.rule("name") is Rule.PROVIDER_WINS
    assert resolved.resolved == [conflict.id]
    assert (await company.record()).data["name"] == "Theirs"


async def test_the_newest_cannot_be_chosen_where_a_provider_has_no_times(company: Company):
    with pytest.raises(InvalidInput, match="does not say when"):
        await company.hub.conflicts.set_policy(
            company.operator,
            StreamPolicy(company.connection.id, "companies", Rule.NEWEST),
            company.hub.connectors["metakocka"].streams["partners"],
        )


async def test_a_policy_that_somebody_else_changed_is_not_overwritten(company: Company):
    seen = await company.hub.conflicts.policy(company.operator, company.connection.id, "companies")
    await company.policy(conflicts=Rule.HUB_WINS)

    with pytest.raises(PolicyChanged):
        await company.hub.conflicts.set_policy(company.operator, replace(seen, conflicts=Rule.PROVIDER_WINS), company.stream)


async def test_a_stale_edit_is_refused(company: Company):
    record = await company.record()
    await company.edit(name="First")

    with pytest.raises(RecordChanged):
        await company.hub.edits.update(company.operator, record.id, version=record.version, changes={"name": "Second"})


async def test_what_the_provider_deletes_while_the_hub_changed_it_is_not_lost(company: Company):
    await company.edit(name="Just corrected")
    await company.sandbox.delete("company", company.uuid)

    await company.sync()

    record = await company.record()
    assert (record.deleted_at, record.data["name"]) == (None, "Just corrected")
    (conflict,) = await company.conflicts()
    assert (conflict.field, conflict.theirs) == ("deleted", None)
    await company.hub.conflicts.resolve(company.operator, conflict.id, resolution="theirs")
    assert (await company.record()).deleted_at is not None


async def test_what_the_hub_deletes_while_the_provider_changes_it_is_not_lost(company: Company):
    record = await company.record()
    await company.hub.edits.delete(company.operator, record.id, version=record.version)
    await company.edit_there(name="Still in business")

    await company.sync()

    (conflict,) = await company.conflicts()
    assert (conflict.field, conflict.ours) == ("deleted", None)
    await company.hub.conflicts.resolve(company.operator, conflict.id, resolution="theirs")
    assert ((await company.record()).deleted_at, (await company.record()).data["name"]) == (None, "Still in business")


async def test_a_deleted_record_that_the_provider_did_not_touch_stays_deleted(company: Company):
    record = await company.record()
    await company.hub.edits.delete(company.operator, record.id, version=record.version)

    await company.sync("full")

    assert (await company.record()).deleted_at is not None
    assert await company.conflicts() == []


async def test_an_earlier_version_comes_back(company: Company):
    first = await company.record()
    await company.edit(name="Wrong", website="https://wrong.test")

    restored = await company.hub.edits.restore(company.operator, first.id, version=2, to_version=1)

    assert (restored.data, restored.version) == (first.data, 3)
