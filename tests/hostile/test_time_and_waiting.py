"""Times that lie: watermarks, versions and waits that nobody could outlive."""

from datetime import timedelta

import pytest

from app.database import execute, fetch_value, transaction
from app.paging import PageRequest
from app.syncs.leases import take_lease
from app.syncs.models import RunStatus
from tests.factories import finish, make_connection, sync
from tests.hostile.liar import edits, lying, only, says

ALL = PageRequest(100)


async def _names(hub, actor):
    return {contact.data["name"] for contact in (await hub.records.contacts(actor, ALL)).items}


async def _due_now(actor, run):
    async with transaction(actor.scope):
        await execute(
            actor.scope,
            "UPDATE sync_run SET next_attempt_at = now() WHERE organization_id = $1 AND id = $2",
            actor.organization_id,
            run.id,
        )


@pytest.mark.parametrize("stamp", ["2099-01-01 00:00:00", "2027-06-01 00:00:00"])
async def test_an_edit_time_in_the_future_hides_no_later_change(hub, operator, clean_sandbox, stamp):
    connection = await make_connection(hub, operator, clean_sandbox)
    liar = await clean_sandbox.create("company", name="From the future")
    await clean_sandbox.create("company", name="Honest")
    with lying(hub, edits("/company.json", only(liar["uuid"], edit_date=stamp))):
        await sync(hub, operator, connection)
    await clean_sandbox.create("company", name="Later")
    await clean_sandbox.edit("company", liar["uuid"], name="Corrected")

    await sync(hub, operator, connection)

    assert await _names(hub, operator) == {"Honest", "Later", "Corrected"}


@pytest.mark.parametrize("asked", ["1e300", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
@pytest.mark.parametrize("status", [429, 503])
async def test_no_provider_can_send_a_run_away_for_ever(hub, operator, clean_sandbox, asked, status):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    await clean_sandbox.create("company", name="Acme")
    with lying(hub, says("/company.json", b"later", status=status, **{"retry-after": asked})):
        run = await sync(hub, operator, connection)

    wait = await fetch_value(
        operator.scope,
        "SELECT next_attempt_at - now() FROM sync_run WHERE organization_id = $1 AND id = $2",
        operator.organization_id,
        run.id,
    )
    assert run.status is RunStatus.RUNNING
    assert timedelta(0) < wait <= timedelta(days=1)


async def test_a_run_that_never_gets_its_first_page_fails_after_five_attempts(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    with lying(hub, says("/companycontact.json", b"", status=503)):
        run = await hub.syncs.start(operator, connection.id, streams=["companies"])
        attempts = 0
        while run.status.is_active and attempts < 12:
            await hub.syncs.advance(operator.organization_id, run.id)
            await _due_now(operator, run)
            run, attempts = await hub.syncs.run(operator, run.id), attempts + 1

    assert (run.status, run.error_code) == (RunStatus.FAILED, "provider_unavailable")
    assert attempts <= 6


async def test_pages_that_came_forgive_earlier_attempts(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    await clean_sandbox.seed("companies", 900)
    run = await hub.syncs.start(operator, connection.id, streams=["companies"])
    for skip in (0, 0, 0, 0, 1, 1):
        await clean_sandbox.fault("503", path="*company.json", times=1, skip=skip)
        await hub.syncs.advance(operator.organization_id, run.id)
        await _due_now(operator, run)

    run = await finish(hub, operator, run)

    assert run.status is RunStatus.COMPLETED


async def test_a_page_that_ends_every_worker_is_given_up_and_named(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    run = await hub.syncs.start(operator, connection.id, streams=["companies"])
    for _ in range(20):
        async with transaction(operator.scope):
            assert await take_lease(operator.scope, run.id)  # and that was the last that was heard of this worker
            await execute(
                operator.scope,
                "UPDATE sync_run SET lease_expires_at = now() WHERE organization_id = $1 AND id = $2",
                operator.organization_id,
                run.id,
            )

    run = await finish(hub, operator, run)

    assert (run.status, run.error_code, run.fix_by) == (RunStatus.FAILED, "workers_lost", "us")
    assert "again and again" in run.error_message
