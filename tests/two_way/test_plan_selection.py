"""What goes when a plan is applied as it stands, and what is left out of it."""

import pytest

from app.actors import Role
from app.errors import PermissionDenied
from app.syncs.models import Counts, RunStatus
from app.syncs.plans.models import KindCount, PlanNotReady
from tests import factories
from tests.two_way.office import ALL, Office
from tests.two_way.planning import applied, busy, changes, items, planned, world


async def test_what_is_left_out_stays_and_everything_else_goes(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    plan = await planned(office)
    (renamed,) = [item for item in await items(office, plan) if item.key == ids["Renamed"]]
    await office.hub.plans.select(office.operator, plan.id, item_ids=[renamed.id], kinds=["delete"], selected=False)

    run = await applied(office, plan)

    assert (run.status, run.counts) == (RunStatus.COMPLETED, Counts(read=2, created=1, unchanged=1))
    assert ((await office.record(ids["Renamed"])).data["name"], await office.living()) == ("Renamed", 5)
    left = {item.kind: item.status for item in await items(office, plan) if not item.is_selected}
    assert left == {"update": "planned", "delete": "planned"}


async def test_a_kind_that_was_left_out_is_taken_in_again(office: Office):
    ids = await busy(office)
    await changes(office, ids)
    plan = await planned(office)
    await office.hub.plans.select(office.operator, plan.id, kinds=["create", "update", "delete"], selected=False)
    assert await _selected(office, plan) == {"conflict": 1, "create": 0, "delete": 0, "update": 0}

    await office.hub.plans.select(office.operator, plan.id, kinds=["create"], selected=True)

    assert await _selected(office, plan) == {"conflict": 1, "create": 1, "delete": 0, "update": 0}


async def test_what_a_plan_left_out_is_met_again_by_the_next_incremental_run(office: Office):
    kept = await office.add("Kept")
    await office.run()
    await office.sandbox.edit_partner(kept, customer="Renamed there")
    await office.add("New")
    plan = await planned(office, mode="incremental")
    states = (await world(office))["stream_state"]
    await office.hub.plans.select(office.operator, plan.id, kinds=["update"], selected=False)

    await applied(office, plan)

    assert (await world(office))["stream_state"] == states
    assert (await office.run(mode="incremental")).counts.updated == 1


async def test_what_was_applied_is_not_selected_again_and_a_viewer_selects_nothing(office: Office):
    await office.add("Acme")
    plan = await planned(office)
    viewer = factories.colleague(office.operator, Role.VIEWER)
    with pytest.raises(PermissionDenied):
        await office.hub.plans.select(viewer, plan.id, kinds=["create"], selected=False)
    await applied(office, plan)

    with pytest.raises(PlanNotReady):
        await office.hub.plans.select(office.operator, plan.id, kinds=["create"], selected=False)

    assert await office.hub.plans.counts(office.operator, plan.id) == [KindCount("create", items=1, selected=0, applied=1)]
    assert len((await office.hub.plans.items(office.operator, plan.id, ALL)).items) == 1


async def _selected(office: Office, plan) -> dict[str, int]:
    return {count.kind: count.selected for count in await office.hub.plans.counts(office.operator, plan.id)}
