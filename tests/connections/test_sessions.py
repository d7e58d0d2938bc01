"""Sessions: an authorised client whose every call is written down."""

import asyncio
from datetime import timedelta

import pytest
import structlog

from app.connections.call_log import BATCH
from app.connections.sessions import ConnectionNotFound, ConnectionUnusable
from app.connectors.errors import CredentialsRefused, QuotaExhausted
from app.database import execute, fetch_value, transaction
from app.ids import new_id
from app.paging import PageRequest
from tests.factories import make_organization


async def calls_of(hub, owner, connection):
    return (await hub.connections.provider_calls(owner, connection.id, PageRequest(100))).items


@pytest.mark.requirement("SM8-75", "SM8-86")
async def test_every_call_is_written_down_without_its_secret(hub, owner, connection, sandbox):
    run_id, delivery_id = new_id(), new_id()
    before = len(await calls_of(hub, owner, connection))
    await sandbox.fault("503", path="*/company.json", times=1)

    with structlog.testing.capture_logs() as logs:
        async with hub.connections.open_session(
            owner.scope, connection.id, priority="decision", sync_run_id=run_id, delivery_id=delivery_id
        ) as session:
            await session.client.get("/api_1.0/company.json", {"$filter": f"name eq '{sandbox.api_key}'"})

    calls = (await calls_of(hub, owner, connection))[: -before or None]
    assert [(call.method, call.status, call.attempt) for call in calls] == [("GET", 200, 2), ("GET", 503, 1)]
    assert all((call.sync_run_id, call.delivery_id) == (run_id, delivery_id) for call in calls)
    assert all(call.duration_ms > 0 for call in calls)
    assert calls[0].bytes_received > 0
    assert "has a problem" in calls[1].error
    assert len([line for line in logs if line["event"] == "provider call"]) == 2
    assert sandbox.api_key not in repr(calls) + repr(logs)


async def test_calls_of_one_run_can_be_listed_and_paged(hub, owner, connection):
    run_id = new_id()
    async with hub.connections.open_session(owner.scope, connection.id, sync_run_id=run_id) as session:
        for _ in range(3):
            await session.client.get("/api_1.0/vendor.json")

    first = await hub.connections.provider_calls(owner, connection.id, PageRequest(2), sync_run_id=run_id)
    second = await hub.connections.provider_calls(owner, connection.id, PageRequest(2, first.cursors[-1]), sync_run_id=run_id)

    assert (len(first.items), first.has_next, len(second.items), second.has_next) == (2, True, 1, False)


async def test_calls_are_stored_in_batches_and_at_the_end(hub, owner, connection):
    before = len(await calls_of(hub, owner, connection))

    async with hub.connections.open_session(owner.scope, connection.id) as session:
        for _ in range(BATCH - 1):
            await session.client.get("/api_1.0/vendor.json")
        assert len(await calls_of(hub, owner, connection)) == before
        await session.client.get("/api_1.0/vendor.json")
        assert len(await calls_of(hub, owner, connection)) == before + BATCH
        await session.client.get("/api_1.0/vendor.json")

    assert len(await calls_of(hub, owner, connection)) == before + BATCH + 1


async def test_calls_of_cancelled_work_are_stored_too(hub, owner, connection):
    before = len(await calls_of(hub, owner, connection))
    called = asyncio.Event()

    async def work():
        async with hub.connections.open_session(owner.scope, connection.id) as session:
            await session.client.get("/api_1.0/vendor.json")
            called.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(50):
        if len(await calls_of(hub, owner, connection)) > before:
            break
        await asyncio.sleep(0.02)

    assert len(await calls_of(hub, owner, connection)) == before + 1


async def test_work_that_fails_keeps_its_calls(hub, owner, connection):
    before = len(await calls_of(hub, owner, connection))

    with pytest.raises(ZeroDivisionError):
        async with hub.connections.open_session(owner.scope, connection.id) as session:
            await session.client.get("/api_1.0/vendor.json")
            raise ZeroDivisionError

    assert len(await calls_of(hub, owner, connection)) == before + 1


async def test_a_session_knows_its_account_and_settings(hub, owner, connection, sandbox):
    async with hub.connections.open_session(owner.scope, connection.id) as session:
        assert session.account == connection.account
        assert session.settings.base_url == sandbox.url
        assert sandbox.api_key not in repr(session)


async def test_an_untested_connection_opens_no_session(hub, owner, create):
    untested = await create()

    with pytest.raises(ConnectionUnusable, match="tested"):
        async with hub.connections.open_session(owner.scope, untested.id):
            raise AssertionError("not reached")


async def test_a_paused_connection_works_for_decisions_only_and_recovers_by_itself(hub, owner, connection, scope):
    await hub.connections.pause_until(scope, connection.id, 3600.0, "The day's quota is used up.")

    paused = await hub.connections.get(owner, connection.id)
    with pytest.raises(QuotaExhausted) as refused:
        async with hub.connections.open_session(scope, connection.id, priority="bulk"):
            raise AssertionError("not reached")
    async with hub.connections.open_session(scope, connection.id, priority="decision") as session:
        await session.client.get("/api_1.0/vendor.json")
    await hub.connections.pause_until(scope, connection.id, hub.now() - timedelta(seconds=1), "over")

    assert (paused.status, paused.status_message) == ("paused", "The day's quota is used up.")
    assert 3500 < refused.value.retry_after <= 3600
    assert (await hub.connections.get(owner, connection.id)).status == "active"
    async with hub.connections.open_session(scope, connection.id, priority="bulk") as session:
        assert session.account


async def test_operators_are_told_once_that_a_connection_needs_them(hub, owner, connection, scope):
    await hub.organizations.add_person(owner, email=f"op@{owner.organization_id.hex}.test", name="Oto", role="operator")
    await hub.organizations.add_person(owner, email=f"viewer@{owner.organization_id.hex}.test", name="Vid", role="viewer")

    for _ in range(3):
        await hub.connections.mark_needs_attention(scope, connection.id, CredentialsRefused())

    mails = [
        mail for mail in (await hub.mail.kept(owner, PageRequest())).items if mail.purpose == f"connection_needs_attention:{connection.id}"
    ]
    assert len(mails) == 2
    assert connection.name in mails[0].subject
    assert "refused the credentials" in mails[0].body
    assert f"/connections/{connection.id}" in mails[0].body
    with pytest.raises(ConnectionUnusable, match="refused the credentials"):
        async with hub.connections.open_session(scope, connection.id, priority="decision"):
            raise AssertionError("not reached")


async def test_the_end_of_a_run_is_noted(hub, owner, connection, scope):
    await hub.connections.mark_synced(scope, connection.id)

    assert (await hub.connections.get(owner, connection.id)).last_synced_at is not None
    assert await hub.connections.provider_of(scope, connection.id) == "servicem8"


async def test_a_connection_of_another_organization_opens_no_session(hub, connection):
    stranger = await make_organization(hub)

    with pytest.raises(ConnectionNotFound):
        async with hub.connections.open_session(stranger.scope, connection.id):
            raise AssertionError("not reached")


async def test_credentials_of_a_lost_master_key_must_be_entered_again(hub, owner, connection, sandbox):
    async with transaction(owner.scope):
        await execute(owner.scope, "UPDATE connection SET credentials = 'x' WHERE organization_id = $1", owner.organization_id)

    with pytest.raises(CredentialsRefused, match="another master key"):
        async with hub.connections.open_session(owner.scope, connection.id):
            raise AssertionError("not reached")
    result = await hub.connections.test(owner, connection.id)
    assert (result.ok, result.code) == (False, "credentials_unreadable")
    assert (await hub.connections.get(owner, connection.id)).status == "needs_attention"
    await hub.connections.update(owner, connection.id, credentials={"api_key": sandbox.api_key})
    assert (await hub.connections.test(owner, connection.id)).ok
    assert await fetch_value(owner.scope, "SELECT count(*) FROM connection WHERE organization_id = $1", owner.organization_id) == 1


async def test_a_late_failure_says_nothing_of_new_credentials(hub, owner, connection, scope, sandbox):
    await hub.connections.update(owner, connection.id, credentials={"api_key": sandbox.api_key})

    await hub.connections.mark_needs_attention(scope, connection.id, CredentialsRefused())

    assert (await hub.connections.get(owner, connection.id)).status == "untested"
