"""Pushes that are planned first, over HTTP to Metakocka's sandbox: what is sent is what was shown."""

import pytest

from app.database import fetch
from app.errors import InvalidInput, LeaseLost
from app.syncs.models import RunStatus
from app.syncs.plans.push_applying import PushApplier
from app.syncs.pushing import RecordPusher
from tests import factories
from tests.two_way.office import Office
from tests.two_way.planning import applied, busy, changes, everything, items, lease_over, planned


async def test_a_plan_of_a_push_shows_the_fields_as_the_provider_would_see_them_and_writes_nothing(office: Office):
    ids = await busy(office)
    await office.edit(await office.record(ids["Kept"]), phone="+386 1 000")
    before = await everything(office)

    plan = await planned(office, direction="push")

    assert await everything(office) == before
    found = {item.key: item for item in await items(office, plan)}
    both = found[str((await office.record(ids["Both"])).id)]
    assert (both.kind, both.fields["customer"]) == ("update", {"before": "Both", "after": "Both, ours"})
    assert (len(found), plan.provider_calls) == (2, sum(item.calls for item in found.values()))
    assert await office.sandbox.effects(object="partner") == []


async def test_a_push_that_was_planned_sends_that_and_nothing_else(office: Office):
    ids = await busy(office)
    await office.sandbox.edit_partner(ids["Both"], partner_contact_list=[{"name": "Ana", "email": "theirs@acme.test"}])
    plan = await planned(office, direction="push")
    await office.edit(await office.record(ids["Kept"]), name="Too late for the plan")

    run = await applied(office, plan)

    assert (run.status, run.counts.updated, run.counts.failed) == (RunStatus.COMPLETED, 1, 0)
    partner = await office.sandbox.partner(ids["Both"])
    assert (partner["customer"], partner["partner_contact_list"][0]["email"]) == ("Both, ours", "theirs@acme.test")
    assert (await office.sandbox.partner(ids["Kept"]))["customer"] == "Kept"


async def test_a_push_is_refused_whole_when_the_provider_shows_something_else_than_the_plan_saw(office: Office):
    ids = await busy(office)
    await office.edit(await office.record(ids["Kept"]), name="Kept, ours")
    plan = await planned(office, direction="push")
    await office.sandbox.edit_partner(ids["Kept"], customer="Kept, theirs")

    run = await applied(office, plan)

    assert (run.status, run.error_code) == (RunStatus.FAILED, "plan_outdated")
    plan = await office.hub.plans.get(office.operator, plan.id)
    assert [(moved["key"], moved["what"]) for moved in plan.moved] == [(str((await office.record(ids["Kept"])).id), "provider")]
    assert await office.sandbox.effects(object="partner") == []


async def test_what_changes_at_the_provider_between_the_look_and_the_write_is_not_overwritten(office: Office, monkeypatch):
    ids = await busy(office)
    plan = await planned(office, direction="push")
    check = PushApplier.check

    async def and_then_somebody_edits(self, *given):
        checked = await check(self, *given)
        await office.sandbox.edit_partner(ids["Both"], customer="In the last moment")
        return checked

    monkeypatch.setattr(PushApplier, "check", and_then_somebody_edits)
    run = await applied(office, plan)

    assert (run.status, run.error_code) == (RunStatus.FAILED, "plan_outdated")
    assert (await office.sandbox.partner(ids["Both"]))["customer"] == "In the last moment"
    waits = "SELECT count(*) FROM delivery WHERE organization_id = $1 AND status IN ('queued', 'sending')"
    assert (await fetch(office.operator.scope, waits, office.operator.organization_id))[0][0] == 0


async def test_a_push_whose_worker_dies_between_write_and_word_is_written_once(office: Office, monkeypatch):
    ids = await busy(office)
    plan = await planned(office, direction="push")
    run = await office.hub.plans.apply(office.operator, plan.id)
    confirm, died = RecordPusher._confirm, []

    async def die_once(self, *given):
        if not died:
            died.append(True)
            raise LeaseLost
        await confirm(self, *given)

    monkeypatch.setattr(RecordPusher, "_confirm", die_once)
    await office.hub.syncs.advance(office.operator.organization_id, run.id)
    await lease_over(office, run)
    run = await factories.finish(office.hub, office.operator, run)

    assert (run.status, run.counts.updated) == (RunStatus.COMPLETED, 1)
    assert (await office.sandbox.partner(ids["Both"]))["customer"] == "Both, ours"
    assert len(await office.sandbox.effects(object="partner", effect="changed")) == 1


async def test_a_plan_both_ways_leaves_what_a_run_both_ways_leaves(office: Office):
    ids = await busy(office)
    await office.policy(conflicts="hub_wins", creates_missing=True)
    await changes(office, ids)
    await office.create("Only here", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})

    run = await applied(office, await planned(office, direction="two_way"))

    assert (run.status, run.counts.failed) == (RunStatus.COMPLETED, 0)
    assert (await office.sandbox.partner(ids["Both"]))["customer"] == "Both, ours"
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1
    again = await office.run("two_way")
    assert (again.counts.created, again.counts.updated, again.counts.deleted) == (0, 0, 0)


async def test_a_plan_that_makes_what_is_missing_shows_it_and_makes_just_that_also_when_it_is_made_anew(office: Office):
    made = await office.create("Only here", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    asked = {"streams": ["partners"], "direction": "push"}
    plan = await office.hub.plans.plan(office.operator, office.connection.id, creates_missing=True, **asked)
    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))

    again = await office.hub.plans.renew(office.operator, plan.id)
    await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, again.run_id))
    ((key, kind),) = [(item.key, item.kind) for item in await items(office, again)]
    run = await applied(office, again)

    assert (key, kind, run.counts.created) == (str(made.id), "create", 1)
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1
    assert await items(office, await planned(office, direction="push")) == []


async def test_only_what_is_read_can_be_narrowed(office: Office):
    with pytest.raises(InvalidInput) as refused:
        await office.hub.plans.plan(
            office.operator, office.connection.id, streams=["partners"], direction="push", narrowed_to={"contact_external_id": "1"}
        )

    assert "narrowedTo" in refused.value.fields
