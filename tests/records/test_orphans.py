"""Mappings of which one side is gone: found, cleaned up, brought back; over HTTP from ServiceM8's sandbox."""

import pytest

from app.actors import Role
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.errors import PermissionDenied
from app.paging import PageRequest
from app.records.orphan_store import OrphanKind
from app.records.orphans import NoSuchOrphans
from tests.factories import colleague, make_connection, make_organization, sync

ALL = PageRequest(100)


class Yard:
    """Four companies: one deleted in the hub, one at ServiceM8, one merged, one well."""

    def __init__(self, hub, operator, sandbox, connection) -> None:
        self.hub, self.operator, self.sandbox, self.connection = hub, operator, sandbox, connection

    async def fill(self) -> "Yard":
        self.hub_deleted, self.deleted_there, self.merged, self.well = [
            (await self.sandbox.create("company", name=name))["uuid"] for name in ("Hub", "There", "Merged", "Well")
        ]
        await self.run()
        hub, operator = self.hub, self.operator
        record = await self.record(self.hub_deleted)
        await hub.edits.delete(operator, record.id, version=record.version)
        policy = await hub.conflicts.policy(operator, self.connection.id, "companies")
        await hub.conflicts.set_policy(
            operator,
            type(policy)(self.connection.id, "companies", provider_deletions="ignore"),
            hub.connectors["servicem8"].streams["companies"],
        )
        await self.sandbox.delete("company", self.deleted_there)
        await self.run()
        await hub.merges.merge(operator, (await self.record(self.well)).id, (await self.record(self.merged)).id, {})
        return self

    async def run(self, mode: str = "full"):
        return await sync(self.hub, self.operator, self.connection, streams=["companies"], mode=mode)

    async def mapping(self, uuid: str):
        found = (await self.hub.records.mappings(self.operator, ALL, connection_id=self.connection.id)).items
        return next(one for one in found if one.external_id == uuid)

    async def record(self, uuid: str):
        return await self.hub.records.get(self.operator, (await self.mapping(uuid)).record_id)

    async def kinds(self, **values) -> dict[str, str]:
        found = (await self.hub.orphans.orphans(self.operator, ALL, connection_id=self.connection.id, **values)).items
        return {one.external_id: one.kind for one in found}


@pytest.fixture
async def yard(hub, operator, sandbox: RunningSandbox) -> Yard:
    await sandbox.reset()
    return await Yard(hub, operator, sandbox, await make_connection(hub, operator, sandbox)).fill()


@pytest.mark.requirement("MKC-19")
async def test_each_kind_of_orphan_is_found_and_what_is_well_is_none(yard: Yard):
    assert await yard.kinds() == {
        yard.hub_deleted: OrphanKind.RECORD_DELETED,
        yard.deleted_there: OrphanKind.OBJECT_DELETED,
        yard.merged: OrphanKind.MERGED,
    }
    assert await yard.kinds(kind=OrphanKind.MERGED) == {yard.merged: OrphanKind.MERGED}
    first = await yard.hub.orphans.orphans(yard.operator, PageRequest(2))
    rest = await yard.hub.orphans.orphans(yard.operator, PageRequest(2, first.cursors[-1]))
    assert {one.external_id for one in [*first.items, *rest.items]} == {yard.hub_deleted, yard.deleted_there, yard.merged}


@pytest.mark.requirement("MKC-19")
async def test_cleaning_up_puts_away_what_the_preview_counted_and_can_be_taken_back(yard: Yard):
    preview = await yard.hub.orphans.preview(yard.operator, connection_id=yard.connection.id)

    cleaned = await yard.hub.orphans.clean(yard.operator, connection_id=yard.connection.id)
    left, away = await yard.kinds(), await yard.kinds(cleaned=True)
    run = await yard.run()
    restored = await yard.hub.orphans.restore(yard.operator, mapping_ids=[(await yard.mapping(yard.merged)).id])

    assert [(one.kind, one.stream, one.count) for one in preview] == [
        (OrphanKind.MERGED, "companies", 1),
        (OrphanKind.OBJECT_DELETED, "companies", 1),
        (OrphanKind.RECORD_DELETED, "companies", 1),
    ]
    assert (cleaned, left, len(away)) == (3, {}, 3)
    assert (run.counts.created, run.counts.updated, run.counts.deleted) == (0, 0, 0)
    assert (restored, await yard.kinds()) == (1, {yard.merged: OrphanKind.MERGED})
    events = [entry.event for entry in (await yard.hub.audit.entries(yard.operator, ALL)).items]
    assert [event for event in events if event.startswith("orphans")] == ["orphans.restored", "orphans.cleaned"]


async def test_what_was_cleaned_up_is_back_when_the_provider_changes_it(yard: Yard):
    await yard.hub.orphans.clean(yard.operator)
    await yard.sandbox.edit("company", yard.deleted_there, active=1)

    await yard.run("incremental")

    assert yard.deleted_there not in await yard.kinds(cleaned=True)
    assert (await yard.mapping(yard.deleted_there)).status == "synced"


async def test_what_is_no_orphan_is_not_cleaned_up_even_if_it_is_named(yard: Yard):
    well = await yard.mapping(yard.well)

    assert await yard.hub.orphans.clean(yard.operator, mapping_ids=[well.id]) == 0


async def test_a_repeated_clean_up_answers_the_same(yard: Yard):
    counts = [await yard.hub.orphans.clean(yard.operator, kind=OrphanKind.MERGED, idempotency_key="monday") for _ in range(2)]

    assert counts == [1, 1]


async def test_only_operators_of_the_same_organization_see_and_clean(yard: Yard, hub, owner):
    stranger, viewer = await make_organization(hub), colleague(owner, Role.VIEWER)

    assert (await hub.orphans.orphans(stranger, ALL)).items == []
    with pytest.raises(NoSuchOrphans):
        await hub.orphans.clean(stranger, mapping_ids=[(await yard.mapping(yard.merged)).id])
    with pytest.raises(PermissionDenied):
        await hub.orphans.clean(viewer)
    assert len((await hub.orphans.orphans(viewer, ALL)).items) == 3
