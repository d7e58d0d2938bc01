"""SIGKILL in the middle of a re-map: it goes on from its last page, and ends like an uninterrupted one."""

import asyncio

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.base import FieldRow
from app.connectors.servicem8.fields import COMPANY_FIELDS
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch, fetch_value, transaction
from app.syncs.models import RunStatus, SyncRun
from tests.factories import ended, make_connection, make_organization, sync
from tests.kill.workers import kill, start_worker

COMPANIES = 6000
ROWS = (*COMPANY_FIELDS.rows, FieldRow("custom.abn", "abn_number", default="none"))


async def _published(hub: Hub, actor: Actor, sandbox: RunningSandbox) -> Connection:
    """A connection with companies that were read by the connector's own mapping, and another mapping that counts."""
    connection = await make_connection(hub, actor, sandbox)
    await sync(hub, actor, connection, streams=["companies"])
    where = (actor, connection.id, "companies")
    await hub.field_mappings.publish(*where, (await hub.field_mappings.save(*where, ROWS)).version)
    return connection


async def _everything(actor: Actor) -> list[tuple[object, ...]]:
    rows = await fetch(
        actor.scope,
        """
        SELECT m.external_id, r.data, r.version, m.status, m.base_version, m.payload, m.fingerprint
        FROM record r JOIN mapping m ON m.organization_id = r.organization_id AND m.record_id = r.id
        WHERE r.organization_id = $1 ORDER BY m.external_id
        """,
        actor.organization_id,
    )
    return [tuple(row) for row in rows]


async def _calls(actor: Actor) -> int:
    """The requests to providers of this organization; the workers do what other tests left as well."""
    return int(await fetch_value(actor.scope, "SELECT count(*) FROM provider_call WHERE organization_id = $1", actor.organization_id))


async def _free(actor: Actor, run: SyncRun) -> None:
    """A killed worker's lease ends in 30 s; the test does not wait for that."""
    async with transaction(actor.scope):
        await execute(
            actor.scope,
            "UPDATE sync_run SET lease_expires_at = now() WHERE organization_id = $1 AND id = $2 AND lease_expires_at > now()",
            actor.organization_id,
            run.id,
        )


@pytest.mark.timeout(300)
async def test_a_remap_killed_between_and_within_its_pages_ends_like_an_uninterrupted_one(
    hub: Hub, settings, sandbox: RunningSandbox
) -> None:
    await sandbox.reset()
    await sandbox.seed("companies", COMPANIES)
    await sandbox.settings(page_size=1000)
    calm, harried = await make_organization(hub), await make_organization(hub)
    await sync(hub, calm, await _published(hub, calm, sandbox), streams=["companies"], mode="remap")
    connection = await _published(hub, harried, sandbox)
    asked = await _calls(harried)
    run = await hub.syncs.start(harried, connection.id, streams=["companies"], mode="remap")
    kept = []

    while run.status.is_active and len(kept) < 12:
        when = "before" if len(kept) % 2 else "after"
        worker = start_worker(settings, f"{when}_commit:{6 + len(kept)}")
        while worker.poll() is None and run.status.is_active:
            await asyncio.sleep(0.05)
            run = await hub.syncs.run(harried, run.id)
        kill(worker)
        await _free(harried, run)
        run = await hub.syncs.run(harried, run.id)
        kept.append(run.counts.read)
    run = await ended(hub, harried, run)

    assert run.status is RunStatus.COMPLETED
    assert any(0 < read < run.counts.read for read in kept), kept
    await sandbox.settings(page_size=sandbox.config.page_size)
    assert await _everything(harried) == await _everything(calm)
    assert await _calls(harried) == asked
