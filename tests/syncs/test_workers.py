"""Workers: syncs in the background, decisions before bulk work, and what operators hear of."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.paging import PageRequest
from app.syncs.models import RunStatus, SyncRun
from jobs.worker import work
from tests.factories import key, make_connection, sync

ALL = PageRequest(100)


@pytest.fixture
async def worker(hub: Hub) -> AsyncIterator[None]:
    """A worker in this process."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(hub, stop))
    yield
    stop.set()
    await working


async def _until_ended(hub: Hub, actor: Actor, run: SyncRun, seconds: float = 30) -> SyncRun:
    async with asyncio.timeout(seconds):
        while (run := await hub.syncs.run(actor, run.id)).status.is_active:
            await asyncio.sleep(0.05)
    return run


@pytest.mark.requirement("SM8-68")
async def test_a_sync_is_answered_at_once_and_done_in_the_background(hub: Hub, operator: Actor, sandbox: RunningSandbox, worker):
    await sandbox.reset()
    await sandbox.seed("companies", 800)
    await sandbox.fault("slow", path="*company.json", milliseconds=200, times=4)
    connection = await make_connection(hub, operator, sandbox)

    began = time.monotonic()
    run = await hub.syncs.start(operator, connection.id, streams=["companies"])
    answered = time.monotonic() - began
    ended = await _until_ended(hub, operator, run)

    assert run.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    assert answered < 0.5 < time.monotonic() - began
    assert (ended.status, ended.progress, ended.counts.read) == (RunStatus.COMPLETED, 100, 800)


@pytest.mark.requirement("SM8-65")
async def test_a_decision_does_not_wait_behind_syncs_that_hold_every_slot(hub: Hub, operator: Actor, sandbox: RunningSandbox, worker):
    await sandbox.reset()
    company = await sandbox.create("company", name="Acme")
    job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote")
    await sandbox.add_line(job["uuid"], name="Switchboard", quantity="1", price="100")
    connections = [await make_connection(hub, operator, sandbox) for _ in range(hub.settings.worker_bulk_slots + 2)]
    await sync(hub, operator, connections[0])
    await sandbox.fault("slow", path="*company.json", milliseconds=8_000, times=None)
    runs = [await hub.syncs.start(operator, connection.id, streams=["companies"]) for connection in connections]
    await asyncio.sleep(1)
    (quote,) = (await hub.quotes.quotes(operator, ALL, connection_id=connections[0].id)).items

    await hub.quotes.approve(
        operator, quote.id, version=quote.version, lines=None, signature_name="Olive", accept_terms=True, idempotency_key=key()
    )
    async with asyncio.timeout(4):
        while (await sandbox.record("job", job["uuid"]))["status"] != "Work Order":
            await asyncio.sleep(0.05)
    still = [(await hub.syncs.run(operator, run.id)).status for run in runs]

    assert all(status.is_active for status in still)
    await sandbox.clear_faults()
    for run in runs:
        await hub.syncs.cancel(operator, run.id)
        await _until_ended(hub, operator, run)


@pytest.mark.requirement("SM8-58", "SM8-23")
async def test_operators_are_told_once_of_a_sync_that_failed_and_find_every_error_in_the_log(
    hub: Hub, operator: Actor, owner: Actor, sandbox: RunningSandbox
):
    await sandbox.reset()
    await sandbox.create("company", name="")
    connection = await make_connection(hub, operator, sandbox, attempts=1, delay_seconds=0.1)
    await sandbox.fault("malformed-json", path="*job.json", times=None)

    first = await sync(hub, operator, connection)
    second = await sync(hub, operator, connection)

    assert (first.status, second.status, first.error_code) == (RunStatus.FAILED, RunStatus.FAILED, "unexpected_response")
    mails = [mail for mail in (await hub.mail.kept(owner, ALL)).items if "sync" in mail.subject.lower()]
    assert len(mails) == 1
    assert "jobs" in mails[0].body
    calls = (await hub.connections.provider_calls(operator, connection.id, ALL)).items
    assert [call for call in calls if call.error and "job.json" in call.url]
    (failed,) = (await hub.failed_records.failed_records(operator, ALL, connection_id=connection.id)).items
    assert "name" in failed.message
    await sandbox.reset()
