"""What only writing back makes: records of the hub's own, conflicts, and a connection that can be written to."""

from typing import Any
from uuid import UUID

from app.actors import Actor, Scope
from app.bootstrap import Hub
from app.database import execute, transaction
from app.ids import new_id
from app.syncs.plans import items, store
from app.syncs.plans.models import NewItem


async def add_records(hub: Hub, owner: Actor, connection_id: UUID, url: str) -> dict[str, UUID]:
    """Records of the kinds that ServiceM8 does not have, and a connection that nobody ever reaches."""
    writable = await hub.connections.create(
        owner,
        provider="metakocka",
        name="To be written to",
        mode="sandbox",
        settings={"company_id": "16", "base_url": url},
        credentials={"secret_key": "a secret of nothing"},
    )
    async with transaction(owner.scope):  # as if it had been tried
        sql = "UPDATE connection SET status = 'active' WHERE organization_id = $1 AND id = $2"
        await execute(owner.scope, sql, owner.organization_id, writable.id)
    spare, _ = [await add_record(owner.scope, connection_id, "contact", {"name": "Twin"}) for _ in range(2)]
    level = {"product_external_id": "p-1", "name": "Switchboard", "on_hand": "2"}
    return {
        "WritableConnection": writable.id,
        "Product": await add_record(owner.scope, connection_id, "product", {"name": "Switchboard"}),
        "SpareContact": spare,
        "Mapping": await _add_orphan(owner.scope, connection_id),
        "InventoryLevel": await add_record(owner.scope, connection_id, "inventory_level", level),
    }


async def _add_orphan(scope: Scope, connection_id: UUID) -> UUID:
    """The mapping of a contact that the hub deleted."""
    mapping_id, record_id = new_id(), await add_record(scope, connection_id, "contact", {"name": "Gone"})
    values = {"connection_id": connection_id, "stream": "companies", "external_id": "gone", "record_id": record_id, "status": "synced"}
    async with transaction(scope):
        sql = "UPDATE record SET deleted_at = now() WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, record_id)
        await _insert(scope, "mapping", {"id": mapping_id, **values, "last_error": "It is gone."})
    return mapping_id


async def add_record(scope: Scope, connection_id: UUID, entity: str, data: dict[str, Any]) -> UUID:
    record_id = new_id()
    async with transaction(scope):
        await _insert(scope, "record", {"id": record_id, "entity": entity, "connection_id": connection_id, "data": data})
    return record_id


async def add_conflict(scope: Scope, connection_id: UUID, record_id: UUID, external_id: str, field: str) -> UUID:
    """An open conflict; one that was open already in this field is closed."""
    conflict_id = new_id()
    values = {"connection_id": connection_id, "stream": "companies", "record_id": record_id, "external_id": external_id, "field": field}
    async with transaction(scope):
        await execute(
            scope,
            """
            UPDATE conflict SET resolution = 'agreed', resolved_at = now()
            WHERE organization_id = $1 AND record_id = $2 AND field = $3 AND resolved_at IS NULL
            """,
            scope.organization_id,
            record_id,
            field,
        )
        await _insert(scope, "conflict", {"id": conflict_id, **values, "ours": "a@b.test", "theirs": "b@b.test"})
    return conflict_id


async def add_plan(scope: Scope, connection_id: UUID, run_id: UUID, external_id: str) -> tuple[UUID, UUID]:
    """A plan that can be applied, and its one item."""
    plan_id, where = new_id(), ("companies", "companies", "pull")
    async with transaction(scope):
        await store.add(scope, plan_id, connection_id, kind="sync", run_id=run_id, undoes_run_id=None, requested_by="Olive Owner")
        await items.put(scope, plan_id, connection_id, where, [NewItem("update", external_id)])
        await store.draft(scope, plan_id, calls=0, seconds=0.0)
    (item,) = await store.items(scope, plan_id, first=1, after=None, kind=None, changes_only=True)
    return plan_id, item.id


async def add_quarantine(scope: Scope, connection_id: UUID, run_id: UUID, external_id: str) -> UUID:
    """A held deletion."""
    quarantine_id = new_id()
    values = {"id": quarantine_id, "connection_id": connection_id, "stream": "companies", "sync_run_id": run_id}
    async with transaction(scope):
        brake = {"known": 9, "brake_share": 0.05, "brake_minimum": 10}
        await _insert(scope, "quarantine", {**values, **brake, "external_ids": [external_id]})
    return quarantine_id


async def add_failed(scope: Scope, connection_id: UUID) -> UUID:
    """A company that could not be taken over."""
    failed_id = new_id()
    why = {"stage": "validate", "error_code": "record_invalid", "message": "It has no name.", "fix_by": "customer"}
    values = {"connection_id": connection_id, "stream": "companies", "external_id": str(failed_id), "payload": b"{}"}
    async with transaction(scope):
        await _insert(scope, "failed_record", {"id": failed_id, **values, **why})
    return failed_id


async def _insert(scope: Scope, table: str, values: dict[str, Any]) -> None:
    named = {"organization_id": scope.organization_id, **values}
    places = ", ".join(f"${place}" for place in range(1, len(named) + 1))
    await execute(scope, f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", *named.values())
