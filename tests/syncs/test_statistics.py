"""Statistics of a connection that reads a ServiceM8 sandbox, by the organization's days and in total."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connections.sessions import ConnectionNotFound
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch_value, transaction
from app.errors import InvalidInput, PermissionDenied
from app.ids import new_id
from app.paging import PageRequest
from app.syncs.models import Counts, SyncRun
from app.syncs.statistics import StatisticsService
from tests.factories import colleague, finish, key, make_connection, make_organization, sync

ALL = PageRequest(100)


@pytest.fixture
async def connection(hub: Hub, operator: Actor, sandbox: RunningSandbox) -> Connection:
    await sandbox.reset()
    company = await sandbox.create("company", name="Acme")
    await sandbox.create("company", name="")
    job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote")
    await sandbox.add_line(job["uuid"], name="Switchboard", quantity="1", price="100")
    return await make_connection(hub, operator, sandbox)


async def _change(actor: Actor, sql: str, *arguments: Any) -> None:
    async with transaction(actor.scope):
        assert await execute(actor.scope, sql, actor.organization_id, *arguments) > 0


async def _run_at(hub: Hub, actor: Actor, connection: Connection, moment: datetime, *, seconds: int = 60) -> SyncRun:
    """A run that began then, as its id says too."""
    run = await sync(hub, actor, connection)
    number = (int(moment.timestamp() * 1000) << 80) | (run.id.int & ((1 << 80) - 1))
    moved = UUID(int=number)
    copied = """
        WITH run AS (
            INSERT INTO sync_run (id, organization_id, connection_id, mode, status, requested_by, progress,
                created_at, started_at, finished_at)
            SELECT $3, organization_id, connection_id, mode, status, requested_by, 100, $4, $4, $5 FROM sync_run
            WHERE organization_id = $1 AND id = $2)
        INSERT INTO sync_run_stream (organization_id, sync_run_id, connection_id, stream, lock_stream, direction, position, status, active,
            read, created, updated, unchanged, deleted, failed)
        SELECT organization_id, $3, connection_id, stream, lock_stream, direction, position, status, false,
            read, created, updated, unchanged, deleted, failed
        FROM sync_run_stream WHERE organization_id = $1 AND sync_run_id = $2
    """
    await _change(actor, copied, run.id, moved, moment, moment + timedelta(seconds=seconds))
    return await hub.syncs.run(actor, moved)


@pytest.mark.requirement("ERP-06", "ERP-28", "ERP-31")
async def test_runs_records_and_calls_are_counted_in_total(hub: Hub, operator: Actor, connection: Connection, sandbox: RunningSandbox):
    partial = await sync(hub, operator, connection)
    await sandbox.reset()
    whole = await sync(hub, operator, connection, streams=["jobs"])
    cancelled = await hub.syncs.cancel(operator, (await hub.syncs.start(operator, connection.id)).id)
    calls = (await hub.connections.provider_calls(operator, connection.id, ALL)).items

    found = await hub.statistics.total(operator, connection.id)

    assert (found.runs, found.completed, found.partially_completed, found.failed, found.cancelled) == (3, 1, 1, 0, 1)
    assert found.success_rate == 0.5
    assert found.records == partial.counts + whole.counts + cancelled.counts
    assert (found.records.created, found.records.failed) == (2, 1)
    assert found.provider_calls == len(calls) > 5
    assert found.failed_provider_calls == 0


@pytest.mark.requirement("ERP-29", "ERP-30")
async def test_how_long_runs_take_and_when_the_last_one_ended(hub: Hub, operator: Actor, connection: Connection):
    now = hub.now()
    await _run_at(hub, operator, connection, now - timedelta(days=3), seconds=100)
    last = await _run_at(hub, operator, connection, now - timedelta(days=3, hours=-1), seconds=300)

    (_, before, *_) = await hub.statistics.by_day(operator, connection.id, days=6)
    days = {found.day: found for found in await hub.statistics.by_day(operator, connection.id, days=6)}
    of_then = [found for found in days.values() if found.average_run_seconds and found.average_run_seconds > 50]

    assert before.runs == 0
    assert sum(found.run_seconds for found in of_then) == 400
    assert max(found.last_ended_at for found in of_then if found.last_ended_at) == last.finished_at
    total = await hub.statistics.total(operator, connection.id)
    assert total.runs == 4
    assert total.average_run_seconds
    assert 100 <= total.average_run_seconds < 102  # the two that were copied took a moment each


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
async def test_a_day_is_the_organizations_own(hub: Hub, sandbox: RunningSandbox, zone: str):
    await sandbox.reset()
    owner = await make_organization(hub, time_zone=zone)
    connection = await make_connection(hub, owner, sandbox)
    # Noon of a day after which the clocks went back, in the years of summer time.
    noon = datetime(2026, 4, 7, 12, tzinfo=ZoneInfo(zone))
    statistics = StatisticsService(lambda: noon)
    midnight = noon.replace(hour=0).astimezone(UTC)
    for moment in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(seconds=86_399), midnight + timedelta(seconds=86_400)):
        await _run_at(hub, owner, connection, moment)

    *_, first, yesterday, today = await statistics.by_day(owner, connection.id, days=5)

    assert [found.day.day for found in (first, yesterday, today) if found.day] == [5, 6, 7]
    assert (first.runs, yesterday.runs, today.runs) == (0, 1, 2)
    assert (today.records.read, today.records.created) == (0, 0)


async def test_every_day_is_there_and_none_more(hub: Hub, operator: Actor, connection: Connection):
    await _run_at(hub, operator, connection, hub.now() - timedelta(days=30, hours=1))

    days = await hub.statistics.by_day(operator, connection.id)

    assert [found.day for found in days] == [hub.now().date() - timedelta(days=back) for back in reversed(range(30))]
    assert sum(found.runs for found in days) == 1  # the one of today, not its copy
    assert days[-1].provider_calls > 0
    assert (days[0].runs, days[0].success_rate, days[0].average_run_seconds) == (0, None, None)
    for wrong in (0, 367):
        with pytest.raises(InvalidInput, match="1 to 366"):
            await hub.statistics.by_day(operator, connection.id, days=wrong)


async def test_deliveries_are_counted_with_the_time_to_their_confirmation(hub: Hub, operator: Actor, connection: Connection):
    await sync(hub, operator, connection)
    (quote,) = (await hub.quotes.quotes(operator, ALL, connection_id=connection.id)).items
    await hub.quotes.approve(
        operator, quote.id, version=quote.version, lines=None, signature_name="Olive", accept_terms=True, idempotency_key=key()
    )
    waiting = await hub.statistics.total(operator, connection.id)
    sql = "SELECT id FROM delivery WHERE organization_id = $1 AND connection_id = $2"
    delivery_id = await fetch_value(operator.scope, sql, operator.organization_id, connection.id)
    await _change(operator, "UPDATE delivery SET created_at = created_at - interval '90 seconds' WHERE organization_id = $1")
    await hub.deliveries.deliver(operator.organization_id, delivery_id)

    found = await hub.statistics.total(operator, connection.id)
    today = (await hub.statistics.by_day(operator, connection.id, days=2))[-2:]

    assert (waiting.deliveries_waiting, waiting.average_seconds_to_confirm) == (1, None)
    assert (found.deliveries_waiting, found.deliveries_confirmed, found.deliveries_failed, found.deliveries_not_applied) == (0, 1, 0, 0)
    assert found.average_seconds_to_confirm
    assert 90 <= found.average_seconds_to_confirm < 100
    assert sum(day.deliveries_confirmed for day in today) == 1


async def test_making_a_plan_is_no_sync(hub: Hub, operator: Actor, connection: Connection):
    plan = await hub.plans.plan(operator, connection.id)
    await finish(hub, operator, await hub.syncs.run(operator, plan.run_id))

    found = await hub.statistics.total(operator, connection.id)

    assert (found.runs, found.records) == (0, Counts())
    assert found.provider_calls > 0


async def test_statistics_are_of_one_connection_of_the_organization_for_whoever_may(
    hub: Hub, owner: Actor, connection: Connection, sandbox
):
    await sync(hub, owner, connection)
    other = await make_connection(hub, owner, sandbox)
    stranger = await make_organization(hub)

    assert (await hub.statistics.total(owner, other.id)).runs == 0
    assert (await hub.statistics.total(colleague(owner, Role.VIEWER), connection.id)).runs == 1
    for actor, connection_id in ((stranger, connection.id), (owner, new_id())):
        with pytest.raises(ConnectionNotFound):
            await hub.statistics.total(actor, connection_id)
        with pytest.raises(ConnectionNotFound):
            await hub.statistics.by_day(actor, connection_id)
    with pytest.raises(PermissionDenied):
        await hub.statistics.total(colleague(owner, Role.CLIENT_CONTACT), connection.id)


async def test_a_remap_exchanges_nothing_and_counts_in_no_statistics(hub: Hub, operator: Actor, connection: Connection) -> None:
    await sync(hub, operator, connection)
    before = await hub.statistics.total(operator, connection.id)

    run = await sync(hub, operator, connection, mode="remap")

    assert run.counts.read > 0
    after = await hub.statistics.total(operator, connection.id)
    assert after == before


async def test_how_much_changed_lately_is_told_of_several_connections_at_once(
    hub: Hub, operator: Actor, connection: Connection, sandbox: RunningSandbox
):
    other, stranger = await make_connection(hub, operator, sandbox), await make_organization(hub)
    await _run_at(hub, operator, connection, hub.now() - timedelta(days=2))

    found = await hub.statistics.activity(operator, [connection.id, other.id], days=4)

    assert [(day.changed, day.failed) for day in found[connection.id]] == [(0, 0), (2, 1), (0, 0), (2, 1)]
    assert [(day.changed, day.failed) for day in found[other.id]] == [(0, 0)] * 4
    assert [day.day for day in found[other.id]] == [hub.now().date() - timedelta(days=back) for back in (3, 2, 1, 0)]
    assert {day.changed for day in (await hub.statistics.activity(stranger, [connection.id]))[connection.id]} == {0}
    assert await hub.statistics.activity(operator, []) == {}
    with pytest.raises(PermissionDenied):
        await hub.statistics.activity(colleague(operator, Role.CLIENT_CONTACT), [connection.id])
