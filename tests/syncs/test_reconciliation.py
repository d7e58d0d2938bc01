"""Reconciliation: what a complete scan of a ServiceM8 sandbox finds out of step, kept, told and within walls."""

from typing import Any
from uuid import UUID

import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from app.errors import PermissionDenied
from app.ids import new_id
from app.paging import PageRequest
from app.syncs.leases import Lease
from app.syncs.models import SyncRun
from app.syncs.reconciliation import EXAMPLES, Reconciliation, reconcile
from tests.factories import colleague, make_connection, make_organization, sync

ALL = PageRequest(100)


@pytest.fixture
async def connection(hub: Hub, operator: Actor, sandbox: RunningSandbox) -> Connection:
    """Three companies were read."""
    await sandbox.reset()
    for name in ("Acme", "Birch", "Cedar"):
        await sandbox.create("company", name=name)
    made = await make_connection(hub, operator, sandbox)
    await sync(hub, operator, made, streams=["companies"])
    return made


async def _scan(hub: Hub, actor: Actor, connection: Connection) -> SyncRun:
    return await sync(hub, actor, connection, streams=["companies"], mode="full")


async def _reconcile(hub: Hub, actor: Actor, connection: Connection, run: SyncRun) -> Reconciliation:
    """As the walk does at the end of a complete scan."""
    connector = hub.connectors["servicem8"]
    async with hub.connections.open_session(actor.scope, connection.id, priority="bulk") as session:
        source = await hub.walker.source(actor.scope, connection.id, connector, connector.streams["companies"], session, run.id)
    async with transaction(actor.scope):
        return await reconcile(Lease(actor.scope, run.id, connection.id, 1, 0), source, hub.mail)


async def _change(actor: Actor, sql: str, *arguments: Any) -> None:
    async with transaction(actor.scope):
        assert await execute(actor.scope, sql, actor.organization_id, *arguments) > 0


async def _rename(hub: Hub, actor: Actor, record_id: UUID, name: str) -> None:
    version = (await hub.records.get(actor, record_id)).version
    await hub.edits.update(actor, record_id, version=version, changes={"name": name})


async def _drift_mails(hub: Hub, owner: Actor) -> list[str]:
    return [mail.body for mail in (await hub.mail.kept(owner, ALL)).items if "out of step" in mail.subject]


@pytest.mark.requirement("SM8-47", "SM8-90")
async def test_after_a_complete_scan_everything_is_in_step(hub: Hub, operator: Actor, owner: Actor, connection: Connection):
    run = await _scan(hub, operator, connection)

    found = await _reconcile(hub, operator, connection, run)

    assert (found.seen, found.mapped, found.drift, found.failed) == (3, 3, (0, 0, 0), 0)
    assert found.sentence == "3 objects compared, all in step"
    assert await hub.reconciliations.of_run(operator, run.id) == [found]
    assert await _drift_mails(hub, owner) == []


async def test_what_one_side_lacks_is_counted_and_named(hub: Hub, operator: Actor, connection: Connection):
    run = await _scan(hub, operator, connection)
    (lost, *_) = (await hub.records.mappings(operator, ALL, connection_id=connection.id)).items
    # As if somebody had linked a record to the wrong object.
    await _change(operator, "UPDATE mapping SET external_id = 'elsewhere' WHERE organization_id = $1 AND id = $2", lost.id)

    found = await _reconcile(hub, operator, connection, run)

    assert (found.seen, found.mapped, found.drift) == (3, 3, (1, 1, 0))
    assert (found.examples["missing_here"], found.examples["missing_there"]) == ([lost.external_id], ["elsewhere"])


async def test_what_was_linked_while_the_scan_was_under_way_is_not_missing_there(hub: Hub, operator: Actor, connection: Connection):
    run = await _scan(hub, operator, connection)
    (late, *_) = (await hub.records.mappings(operator, ALL, connection_id=connection.id)).items
    sql = "UPDATE mapping SET external_id = 'behind the scan', created_at = now() WHERE organization_id = $1 AND id = $2"
    await _change(operator, sql, late.id)

    assert (await _reconcile(hub, operator, connection, run)).missing_there == 0


async def test_deleted_and_archived_mappings_are_no_drift(hub: Hub, operator: Actor, connection: Connection):
    run = await _scan(hub, operator, connection)
    one, other, _ = (await hub.records.mappings(operator, ALL, connection_id=connection.id)).items
    await _change(operator, "UPDATE mapping SET status = 'deleted' WHERE organization_id = $1 AND id = $2", one.id)
    await _change(operator, "UPDATE mapping SET archived_at = now() WHERE organization_id = $1 AND id = $2", other.id)

    found = await _reconcile(hub, operator, connection, run)

    assert (found.seen, found.mapped, found.drift) == (2, 1, (0, 0, 0))


async def test_a_record_that_is_said_to_be_in_step_and_is_not_is_found(hub: Hub, operator: Actor, connection: Connection):
    first, second, third = (await hub.records.contacts(operator, ALL, connection_id=connection.id)).items
    # ServiceM8's companies are only read: nothing waits to be pushed, and the provider keeps another name.
    await _rename(hub, operator, first.id, "Acme and Sons")
    await _rename(hub, operator, second.id, "For a moment")
    await _rename(hub, operator, second.id, second.data["name"])
    await hub.edits.delete(operator, third.id, version=third.version)
    run = await _scan(hub, operator, connection)

    found = await _reconcile(hub, operator, connection, run)

    assert (found.drift, found.examples["different"]) == ((0, 0, 1), [first.external_id])


async def test_more_versions_than_one_batch_are_compared_to_the_last(
    hub: Hub, operator: Actor, connection: Connection, sandbox: RunningSandbox
):
    await sandbox.seed("companies", 700)
    await _scan(hub, operator, connection)
    moved = """
        WITH moved AS (
            UPDATE record SET version = version + 1, data = data || '{"name": "Renamed here"}'
            WHERE organization_id = $1 AND connection_id = $2 RETURNING id)
        INSERT INTO record_version (organization_id, record_id, version, data, replaced_by)
        SELECT $1, record.id, record.version, record.data, 'somebody' FROM record JOIN moved USING (id) WHERE record.organization_id = $1
    """
    await _change(operator, moved, connection.id)
    run = await _scan(hub, operator, connection)

    found = await _reconcile(hub, operator, connection, run)

    assert found.different == found.mapped > 600
    assert len(found.examples["different"]) == EXAMPLES


async def test_what_failed_is_counted_apart_and_is_not_missing(
    hub: Hub, operator: Actor, connection: Connection, sandbox: RunningSandbox
):  # fmt: skip
    await sandbox.create("company", name="")
    run = await _scan(hub, operator, connection)

    found = await _reconcile(hub, operator, connection, run)

    assert (found.seen, found.mapped, found.drift, found.failed) == (4, 3, (0, 0, 0), 1)


async def test_operators_hear_of_drift_when_it_appears(hub: Hub, operator: Actor, owner: Actor, connection: Connection):
    (first, *_) = (await hub.records.contacts(operator, ALL, connection_id=connection.id)).items
    await _rename(hub, operator, first.id, "Acme and Sons")

    for _ in range(2):
        await _reconcile(hub, operator, connection, await _scan(hub, operator, connection))

    (body,) = await _drift_mails(hub, owner)
    assert "found 1 different, of 3 objects" in body
    assert first.external_id in body
    # An hour later it is the same drift, which they know.
    await _change(owner, "UPDATE mail SET created_at = created_at - interval '2 hours' WHERE organization_id = $1")
    await _reconcile(hub, operator, connection, await _scan(hub, operator, connection))
    assert len(await _drift_mails(hub, owner)) == 1
    (_, second, _) = (await hub.records.contacts(operator, ALL, connection_id=connection.id)).items
    await _rename(hub, operator, second.id, "Birch and Daughters")
    await _reconcile(hub, operator, connection, await _scan(hub, operator, connection))
    assert len(await _drift_mails(hub, owner)) == 2


async def test_a_repeated_comparison_of_a_run_takes_the_place_of_the_first(hub: Hub, operator: Actor, connection: Connection):
    run = await _scan(hub, operator, connection)
    await _reconcile(hub, operator, connection, run)
    await _change(
        operator, "UPDATE mapping SET external_id = 'lost-' || id WHERE organization_id = $1 AND connection_id = $2", connection.id
    )

    again = await _reconcile(hub, operator, connection, run)

    assert (await hub.reconciliations.of_run(operator, run.id)) == [again]
    assert again.drift == (3, 3, 0)


async def test_what_was_found_is_read_by_stream_within_the_organization_by_whoever_may(hub: Hub, operator: Actor, connection: Connection):
    runs = [await _scan(hub, operator, connection) for _ in range(3)]
    for run in runs:
        await _reconcile(hub, operator, connection, run)
    stranger = await make_organization(hub)

    (latest,) = await hub.reconciliations.latest(operator, connection.id, ["companies", "jobs"])
    page = await hub.reconciliations.history(operator, connection.id, "companies", PageRequest(2))
    rest = await hub.reconciliations.history(operator, connection.id, "companies", PageRequest(2, after=page.cursors[-1]))

    assert latest.sync_run_id == runs[2].id
    assert [one.sync_run_id for one in [*page.items, *rest.items]][:3] == [run.id for run in reversed(runs)]
    assert await hub.reconciliations.latest(stranger, connection.id, ["companies"]) == []
    assert await hub.reconciliations.of_run(stranger, runs[0].id) == []
    with pytest.raises(PermissionDenied):
        await hub.reconciliations.of_run(colleague(operator, Role.CLIENT_CONTACT), new_id())
