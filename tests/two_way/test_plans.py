"""Plans over HTTP from Metakocka's sandbox: what a run would do, applied as it is or not at all."""

import pytest

from app.actors import Role
from app.connectors.base import RateLimit
from app.database import execute, transaction
from app.errors import InvalidInput, LeaseLost, PermissionDenied
from app.retention import forget_old
from app.syncs.models import Counts, RunStatus
from app.syncs.pages import PageWriter
from app.syncs.plans import applying as plan_applying
from app.syncs.plans import rules as plan_rules
from app.syncs.plans.models import KindCount, PlanNotFound, PlanNotReady, PlanOutdated, PlanSettled
from app.syncs.service import SyncInProgress
from tests import factories
from tests.two_way.office import ALL, Office
from tests.two_way.planning import applied, busy, changes, everything, items, lease_over, planned, world


@pytest.fixture
async def second(hub, metakocka) -> Office:
    """Another organization's connection to the same company."""
    return await Office.open(hub, await factories.make_organization(hub), metakocka)


async def test_a_plan_shows_what_a_run_would_do_and_leaves_everything_as_it_is(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    before = await everything(office)

    plan = await planned(office)

    assert await everything(office) == before
    found = {item.key: item for item in await items(office, plan)}
    assert {item.kind for item in found.values()} == {"create", "update", "delete", "conflict"}
    assert found[ids["Renamed"]].fields["name"] == {"before": "Renamed", "after": "Renamed there"}
    assert found[ids["Both"]].fields["name"] == {"base": "Both", "ours": "Both, ours", "theirs": "Both, theirs"}
    assert (found[ids["Gone"]].kind, plan.unchanged, plan.status) == ("delete", 1, "drafted")


async def test_a_plan_that_is_applied_leaves_what_a_run_leaves(office: Office, second: Office):
    for each in (office, second):
        await each.policy(brake_share=0.5)
    ids = await busy(office)
    await second.run()
    await second.edit(await second.record(ids["Both"]), name="Both, ours")
    await changes(office, ids)

    plan = await planned(office)
    asked = await _calls(office)
    run = await applied(office, plan)
    direct = await second.run()

    assert await _calls(office) == asked
    assert (run.status, run.counts) == (RunStatus.COMPLETED, Counts(read=4, created=1, updated=1, unchanged=1, deleted=1))
    assert direct.status is RunStatus.COMPLETED
    assert await world(office) == await world(second)
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "applied"


async def test_a_plan_is_refused_whole_when_a_record_of_it_has_moved(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    plan = await planned(office)
    await office.edit(await office.record(ids["Renamed"]), email="later@acme.test")
    before = await everything(office)

    with pytest.raises(PlanOutdated) as refused:
        await applied(office, plan)

    assert [(moved.key, moved.what) for moved in refused.value.moved] == [(ids["Renamed"], "record")]
    assert await everything(office) == before
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "outdated"


async def test_a_plan_whose_worker_dies_in_the_middle_goes_on_behind_its_last_page(office: Office, second: Office, monkeypatch):
    for number in range(9):
        await office.add(f"Partner {number}")
    monkeypatch.setattr(plan_applying, "PAGE", 4)
    plan = await planned(office)
    run = await office.hub.plans.apply(office.operator, plan.id)
    write, pages = PageWriter.write_each, []

    async def die_at_the_second(self, source, page, *ahead):
        pages.append(page)
        if len(pages) == 2:
            await write(self, source, page, *ahead)
            raise LeaseLost
        return await write(self, source, page, *ahead)

    monkeypatch.setattr(PageWriter, "write_each", die_at_the_second)
    await office.hub.syncs.advance(office.operator.organization_id, run.id)
    assert await office.living() == 4
    await lease_over(office, run)
    run = await factories.finish(office.hub, office.operator, run)
    assert (run.status, run.counts.created, len(pages)) == (RunStatus.COMPLETED, 9, 4)

    await second.run()

    assert await world(office) == await world(second)


async def test_items_can_be_chosen_and_the_rest_applied_later(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    plan = await planned(office)
    (renamed,) = [item for item in await items(office, plan) if item.key == ids["Renamed"]]

    first = await applied(office, plan, item_ids=[renamed.id])

    assert (first.counts.updated, first.counts.read, await office.living()) == (1, 1, 4)
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "drafted"
    with pytest.raises(InvalidInput):
        await office.hub.plans.apply(office.operator, plan.id, item_ids=[renamed.id])
    rest = await applied(office, plan)
    assert (rest.counts.read, rest.counts.created, rest.counts.deleted) == (3, 1, 1)
    assert (await office.run()).counts.unchanged == 4


async def test_a_plan_is_applied_once_however_often_it_is_asked_for(office: Office):
    await office.add("Acme")
    plan = await planned(office)

    runs = {(await office.hub.plans.apply(office.operator, plan.id)).id for _ in range(3)}
    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, *runs))

    assert (await office.hub.plans.apply(office.operator, plan.id)).id in runs
    assert (len(runs), await office.living()) == (1, 1)


async def test_a_plan_holds_its_streams_while_it_is_made_and_moves_no_watermark(office: Office):
    await office.add("Acme")
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"], mode="full")

    with pytest.raises(SyncInProgress) as refused:
        await office.hub.syncs.start(office.operator, office.connection.id, streams=["partners"])

    assert refused.value.existing_run_id == plan.run_id
    run = await office.hub.syncs.run(office.operator, plan.run_id)
    await factories.finish(office.hub, office.operator, run)
    assert (await world(office))["stream_state"] == []
    await applied(office, plan)
    assert len((await world(office))["stream_state"]) == 1


async def test_a_policy_that_was_changed_since_refuses_the_plan_before_its_first_effect(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    plan = await planned(office)
    before = await world(office)
    await office.policy(provider_deletions="ignore")

    run = await applied(office, plan)

    assert (run.status, run.error_code, await world(office)) == (RunStatus.FAILED, "plan_outdated", before)
    plan = await office.hub.plans.get(office.operator, plan.id)
    assert (plan.status, plan.moved[0]["what"]) == ("outdated", "terms")


async def test_deletions_that_the_brake_would_hold_back_are_held_back_by_the_plan_too(office: Office):
    for number in range(30):
        await office.add(f"Partner {number:02}")
    await office.run()
    await office.sandbox.show_percent("partner", 3)

    plan = await planned(office)
    assert await office.hub.plans.counts(office.operator, plan.id) == [KindCount("hold", items=1, selected=1, applied=0)]
    await applied(office, plan)

    (held,) = (await office.hub.quarantine.quarantined(office.operator, ALL, connection_id=office.connection.id)).items
    assert (held.known, await office.living()) == (30, 30)


async def test_who_may_not_run_syncs_makes_and_applies_no_plan(office: Office):
    plan = await planned(office)
    viewer = factories.colleague(office.operator, Role.VIEWER)
    stranger = await factories.make_organization(office.hub)

    for asked in (office.hub.plans.plan(viewer, office.connection.id), office.hub.plans.apply(viewer, plan.id)):
        with pytest.raises(PermissionDenied):
            await asked
    for asked in (office.hub.plans.get(stranger, plan.id), office.hub.plans.apply(stranger, plan.id)):
        with pytest.raises(PlanNotFound):
            await asked


def test_the_time_that_a_plan_takes_follows_from_the_connections_budget():
    limits = [RateLimit("minute", 60, 60, 6), RateLimit("day", 20_000, 86_400, 400)]

    assert plan_rules.seconds(limits, 54, 0) == pytest.approx(54 * 86_400 / 19_600, abs=0.1)
    assert plan_rules.seconds(limits[:1], 54, 0) == 60.0
    assert plan_rules.seconds(limits, 0, 1_000) == 2.0


async def _calls(office: Office) -> int:
    return len((await office.hub.connections.provider_calls(office.operator, office.connection.id, ALL)).items)


async def test_the_items_of_old_plans_are_forgotten_and_such_a_plan_is_not_applied(office: Office):
    await office.add("Acme")
    plan = await planned(office)
    scope = office.operator.scope
    async with transaction(scope):
        for table in ("plan", "plan_item"):
            sql = f"UPDATE {table} SET created_at = now() - interval '31 days' WHERE organization_id = $1"
            await execute(scope, sql, scope.organization_id)

    with pytest.raises(PlanOutdated):
        await office.hub.plans.apply(office.operator, plan.id)

    assert await forget_old(scope.organization_id) == 1
    assert await items(office, plan) == []


async def test_a_stream_stands_where_its_last_sync_left_it_and_not_where_a_plan_looked(office: Office):
    await office.add("Acme")
    run = await office.run()
    await planned(office)

    found = {status.stream: status for status in await office.hub.syncs.status(office.operator, office.connection.id)}

    assert found["partners"].last_run_id == run.id


async def test_a_plan_is_dismissed_unless_a_run_has_it_in_hand(office: Office):
    await office.add("Acme")
    making = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"])
    with pytest.raises(PlanNotReady):
        await office.hub.plans.apply(office.operator, making.id)
    with pytest.raises(PlanNotReady):
        await office.hub.plans.dismiss(office.operator, making.id)
    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, making.run_id))

    assert (await office.hub.plans.dismiss(office.operator, making.id)).status == "dismissed"
    with pytest.raises(PlanSettled):
        await office.hub.plans.apply(office.operator, making.id)
    listed = (await office.hub.plans.plans(office.operator, ALL, connection_id=office.connection.id)).items
    assert [plan.id for plan in listed] == [making.id]


async def test_a_plan_that_was_applied_is_not_dismissed(office: Office):
    await office.add("Acme")
    plan = await planned(office)
    await applied(office, plan)

    with pytest.raises(PlanSettled):
        await office.hub.plans.dismiss(office.operator, plan.id)


async def test_what_was_planned_and_applied_is_in_the_audit_log(office: Office):
    await office.add("Acme")
    plan = await planned(office)
    await applied(office, plan)

    entries = (await office.hub.audit.entries(office.operator, ALL)).items
    assert [entry.event for entry in entries if entry.event in ("plan.applied", "sync_run.planned")] == ["plan.applied", "sync_run.planned"]


async def test_what_moves_while_a_plan_is_applied_ends_it_there_and_is_left_alone(office: Office, monkeypatch):
    ids = [await office.add(name) for name in ("First", "Second")]
    await office.run()
    for mk_id in ids:
        await office.sandbox.edit_partner(mk_id, customer="Theirs")
    plan = await planned(office)
    monkeypatch.setattr(plan_applying, "PAGE", 1)
    apply, pages = plan_applying.PullApplier._apply, []

    async def and_somebody_edits_the_next(self, lease, plan, source, batch):
        await apply(self, lease, plan, source, batch)
        pages.append(batch[0].key)
        (other,) = set(ids) - set(pages)
        await office.edit(await office.record(other), name="Ours")

    monkeypatch.setattr(plan_applying.PullApplier, "_apply", and_somebody_edits_the_next)
    run = await applied(office, plan)

    assert (run.status, run.error_code, run.counts.updated) == (RunStatus.FAILED, "plan_outdated", 1)
    names = {mk_id: (await office.record(mk_id)).data["name"] for mk_id in ids}
    assert names == {pages[0]: "Theirs", next(iter(set(ids) - set(pages))): "Ours"}
    assert (await office.hub.plans.get(office.operator, plan.id)).moved[0]["what"] == "record"


async def test_what_would_come_to_something_else_than_was_shown_is_taken_back(office: Office):
    await office.add("Acme")
    plan = await planned(office)
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE plan_item SET payload = convert_to(replace(convert_from(payload, 'UTF8'), 'Acme', 'Other'), 'UTF8')"
        await execute(scope, f"{sql} WHERE organization_id = $1 AND plan_id = $2", scope.organization_id, plan.id)

    run = await applied(office, plan)

    assert (run.status, run.error_code, await office.living()) == (RunStatus.FAILED, "plan_outdated", 0)
    assert (await office.hub.plans.get(office.operator, plan.id)).moved[0]["what"] == "outcome"
