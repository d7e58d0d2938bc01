"""Runs that are taken back: byte for byte where nobody touched anything since, shown where somebody did."""

import pytest

from app.actors import Role
from app.database import fetch
from app.errors import PermissionDenied
from app.syncs.models import Counts, RunStatus, SyncRun
from app.syncs.plans.models import Plan, RunNotUndoable
from tests import factories
from tests.two_way.office import ALL, Office


async def _undo_planned(office: Office, run: SyncRun) -> Plan:
    plan = await office.hub.plans.undo(office.operator, run.id)
    made = await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))
    assert made.status is RunStatus.COMPLETED, made.error_message
    return await office.hub.plans.get(office.operator, plan.id)


async def _undone(office: Office, run: SyncRun, **chosen) -> SyncRun:
    plan = await _undo_planned(office, run)
    return await factories.finish(office.hub, office.operator, await office.hub.plans.apply(office.operator, plan.id, **chosen))


async def _records(office: Office) -> dict[str, tuple[str, bool]]:
    """What each record is, byte for byte."""
    rows = await fetch(
        office.operator.scope,
        """
        SELECT mapping.external_id, record.data::text AS data, record.deleted_at IS NOT NULL AS deleted
        FROM mapping JOIN record ON record.organization_id = $1 AND record.id = mapping.record_id WHERE mapping.organization_id = $1
        """,
        office.operator.organization_id,
    )
    return {row["external_id"]: (row["data"], row["deleted"]) for row in rows}


async def _mappings(office: Office) -> dict[str, tuple[str, str, str]]:
    """Where each record stands with its counterpart, and what both have, byte for byte."""
    rows = await fetch(
        office.operator.scope,
        """
        SELECT m.external_id, m.record_id::text, m.status, coalesce(earlier.data, record.data)::text AS base
        FROM mapping AS m JOIN record ON record.organization_id = $1 AND record.id = m.record_id
        LEFT JOIN record_version AS earlier ON earlier.organization_id = $1 AND earlier.record_id = m.record_id
            AND earlier.version = m.base_version
        WHERE m.organization_id = $1
        """,
        office.operator.organization_id,
    )
    return {external_id: rest for external_id, *rest in (tuple(row) for row in rows)}


@pytest.fixture
async def day(office: Office) -> dict[str, str]:
    """Partners that a first run has made."""
    ids = {name: await office.add(name) for name in ("Kept", "Renamed", "Gone")}
    await office.run()
    return ids


async def _second(office: Office, ids: dict[str, str]) -> SyncRun:
    await office.sandbox.edit_partner(ids["Renamed"], customer="Renamed there")
    await office.sandbox.delete_partner(ids["Gone"])
    ids["New"] = await office.add("New")
    return await office.run()


async def test_a_run_that_is_taken_back_leaves_its_records_as_they_were_byte_for_byte(office: Office, day: dict[str, str]):
    before = await _records(office)
    run = await _second(office, day)
    assert run.counts == Counts(read=4, created=1, updated=1, unchanged=1, deleted=1)

    undone = await _undone(office, run)

    after = await _records(office)
    made = after.pop(day["New"])
    assert (undone.status, undone.counts) == (RunStatus.COMPLETED, Counts(read=3, created=1, updated=1, deleted=1))
    assert (after, made[1]) == (before, True)
    assert (await office.hub.syncs.run(office.operator, run.id)).undone_at is not None


async def test_taking_back_what_was_taken_back_does_it_again(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    after_run = await _records(office)
    undone = await _undone(office, run)

    await _undone(office, undone)

    assert await _records(office) == after_run
    assert (await office.hub.syncs.run(office.operator, run.id)).undone_at is None
    assert (await office.hub.syncs.run(office.operator, undone.id)).undone_at is not None


async def test_what_was_changed_since_is_shown_with_its_three_values_and_left_alone_unless_chosen(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    edited = await office.edit(await office.record(day["Renamed"]), name="Corrected", email="later@acme.test")
    plan = await _undo_planned(office, run)
    (conflict,) = (await office.hub.plans.items(office.operator, plan.id, ALL, kind="conflict")).items
    assert conflict.fields == {"name": {"before": "Renamed", "result": "Renamed there", "now": "Corrected"}}

    done = await factories.finish(office.hub, office.operator, await office.hub.plans.apply(office.operator, plan.id))

    assert (await office.record(day["Renamed"])).version == edited.version
    assert (await office.hub.plans.apply(office.operator, plan.id)).id == done.id
    chosen = await office.hub.plans.apply(office.operator, plan.id, item_ids=[conflict.id])
    await factories.finish(office.hub, office.operator, chosen)
    data = (await office.record(day["Renamed"])).data
    assert (data["name"], data["email"]) == ("Renamed", "later@acme.test")
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "applied"


async def test_another_field_that_was_changed_since_stays_and_the_runs_own_goes_back(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    await office.edit(await office.record(day["Renamed"]), email="later@acme.test")

    await _undone(office, run)

    data = (await office.record(day["Renamed"])).data
    assert (data["name"], data["email"]) == ("Renamed", "later@acme.test")


async def test_what_went_back_waits_to_be_pushed_and_reaches_the_provider(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    await _undone(office, run)
    assert (await office.mapped((await office.record(day["Renamed"])).id)).status == "pending"

    await office.run("push")

    assert (await office.sandbox.partner(day["Renamed"]))["customer"] == "Renamed"
    assert (await office.run()).counts.updated == 0


async def test_what_a_push_wrote_goes_back_with_its_record(office: Office, day: dict[str, str]):
    await office.edit(await office.record(day["Kept"]), name="Pushed", notes="Hub only")
    pushed = await office.run("push")
    assert (await office.sandbox.partner(day["Kept"]))["customer"] == "Pushed"

    await _undone(office, pushed)
    await office.run("push")

    assert (await office.sandbox.partner(day["Kept"]))["customer"] == (await office.record(day["Kept"])).data["name"] == "Kept"


async def test_a_push_that_is_taken_back_leaves_record_mapping_and_provider_byte_for_byte(office: Office, day: dict[str, str]):
    before = (await _records(office), await _mappings(office), await office.sandbox.partner(day["Kept"]))
    await office.edit(await office.record(day["Kept"]), name="Pushed", phone="+386 1 000")
    pushed = await office.run("push")
    assert (await _records(office), await office.sandbox.partner(day["Kept"])) != (before[0], before[2])

    await _undone(office, pushed)
    await office.run("push")

    assert (await _records(office), await _mappings(office), await office.sandbox.partner(day["Kept"])) == before
    assert (await office.run()).counts == Counts(read=3, unchanged=3)


async def test_a_run_of_which_only_a_part_was_taken_back_can_be_taken_back_further(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    plan = await _undo_planned(office, run)
    await office.hub.plans.select(office.operator, plan.id, kinds=["delete", "restore"], selected=False)

    part = await factories.finish(office.hub, office.operator, await office.hub.plans.apply(office.operator, plan.id))

    assert part.counts == Counts(read=1, updated=1)
    assert (await office.hub.syncs.run(office.operator, run.id)).undone_at is None
    assert (await _undone(office, run)).counts == Counts(read=2, created=1, deleted=1)
    assert (await office.hub.syncs.run(office.operator, run.id)).undone_at is not None


async def test_what_a_push_made_at_the_provider_remains_and_says_so(office: Office):
    await office.policy(creates_missing=True)
    await office.create("Only here", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    pushed = await office.run("push")
    assert pushed.counts.created == 1

    plan = await _undo_planned(office, pushed)

    (item,) = (await office.hub.plans.items(office.operator, plan.id, ALL, kind="remain")).items
    assert item.error["message"].startswith("It was made at the provider.")
    applied = await office.hub.plans.apply(office.operator, plan.id)
    assert (await factories.finish(office.hub, office.operator, applied)).status is RunStatus.COMPLETED
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1


async def test_only_a_finished_run_that_still_counts_can_be_taken_back_and_only_by_who_may(office: Office, day: dict[str, str]):
    run = await _second(office, day)
    viewer = factories.colleague(office.operator, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        await office.hub.plans.undo(viewer, run.id)
    undone = await _undone(office, run)

    with pytest.raises(RunNotUndoable):
        await office.hub.plans.undo(office.operator, run.id)
    plan = await _undo_planned(office, undone)
    with pytest.raises(RunNotUndoable):
        await office.hub.plans.undo(office.operator, plan.run_id)
    with pytest.raises(PermissionDenied):
        await office.hub.plans.apply(viewer, plan.id)
