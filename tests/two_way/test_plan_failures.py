"""Plans that could not be made, and plans whose applying stopped: both say why, and neither waits for ever."""

import pytest

from app.database import execute, transaction
from app.errors import LeaseLost
from app.syncs import rules
from app.syncs.models import RunStatus
from app.syncs.pages import PageWriter
from app.syncs.plans import applying as plan_applying
from app.syncs.plans import runs as plan_runs
from app.syncs.plans.models import PlanSettled
from jobs.schedule import sweep
from tests import factories
from tests.two_way.office import Office
from tests.two_way.planning import applied, items, lease_over, planned


async def test_a_plan_that_cannot_be_made_has_failed_and_says_why(office: Office):
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"])
    await office.hub.connections.update(office.operator, office.connection.id, credentials={"secret_key": "no longer valid"})

    run = await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))

    plan = await office.hub.plans.get(office.operator, plan.id)
    assert (run.status, plan.status) == (RunStatus.FAILED, "failed")
    assert plan.error == {"code": run.error_code, "message": run.error_message, "fix_by": "customer"}
    with pytest.raises(PlanSettled):
        await office.hub.plans.apply(office.operator, plan.id)


async def test_a_plan_whose_making_is_cancelled_has_failed_for_that(office: Office):
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"])

    await office.hub.syncs.cancel(office.operator, plan.run_id)

    plan = await office.hub.plans.get(office.operator, plan.id)
    assert (plan.status, plan.error["code"], plan.error["message"]) == ("failed", "cancelled", "Making it was cancelled.")


async def test_a_plan_whose_worker_died_is_taken_up_again_by_the_sweeper(office: Office, monkeypatch):
    await office.add("Acme")
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"])
    run = await office.hub.syncs.run(office.operator, plan.run_id)
    make = plan_runs.PlanRuns._make
    monkeypatch.setattr(plan_runs.PlanRuns, "_make", _die)
    await office.hub.syncs.advance(office.operator.organization_id, run.id)
    monkeypatch.setattr(plan_runs.PlanRuns, "_make", make)
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "making"
    await lease_over(office, run)

    await sweep(office.hub)
    await factories.ended(office.hub, office.operator, await office.hub.syncs.run(office.operator, run.id))

    assert (await office.hub.plans.get(office.operator, plan.id)).status == "drafted"


async def test_a_plan_that_ends_every_worker_has_failed_in_the_end(office: Office):
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"])
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE sync_run SET attempts = $3, status = 'running' WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, plan.run_id, rules.MAXIMUM_TAKEN_UP)

    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))

    plan = await office.hub.plans.get(office.operator, plan.id)
    assert (plan.status, plan.error["code"], plan.error["fix_by"]) == ("failed", "workers_lost", "us")


async def test_a_plan_whose_applying_is_cancelled_can_be_applied_further(office: Office, monkeypatch):
    for number in range(6):
        await office.add(f"Partner {number}")
    monkeypatch.setattr(plan_applying, "PAGE", 2)
    plan = await planned(office)
    run = await office.hub.plans.apply(office.operator, plan.id)
    write, pages = PageWriter.write_each, []

    async def then_cancel(self, source, page):
        pages.append(page)
        if len(pages) == 2:
            raise LeaseLost
        return await write(self, source, page)

    monkeypatch.setattr(PageWriter, "write_each", then_cancel)
    await office.hub.syncs.advance(office.operator.organization_id, run.id)
    await office.hub.syncs.cancel(office.operator, run.id)
    await lease_over(office, run)
    run = await factories.finish(office.hub, office.operator, run)

    plan = await office.hub.plans.get(office.operator, plan.id)
    assert (run.status, plan.status, plan.error["message"]) == (RunStatus.CANCELLED, "drafted", "Applying it was cancelled.")
    assert sorted(item.status for item in await items(office, plan)) == ["applied"] * 2 + ["planned"] * 4
    assert ((await applied(office, plan)).counts.created, await office.living()) == (4, 6)
    assert (await office.hub.plans.get(office.operator, plan.id)).error is None


async def _die(*given: object) -> bool:
    raise LeaseLost
