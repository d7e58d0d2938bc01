"""What only writing back makes: records of the hub's own, conflicts, and a connection that can be written to."""

from typing import Any
from uuid import UUID

from app.actors import Actor, Scope
from app.bootstrap import Hub
from app.database import execute, new_id, transaction


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
    level = {"product_external_id": "p-1", "name": "Switchboard", "on_hand": "2"}
    return {
        "WritableConnection": writable.id,
        "Product": await add_record(owner.scope, connection_id, "product", {"name": "Switchboard"}),
        "InventoryLevel": await add_record(owner.scope, connection_id, "inventory_level", level),
    }


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


async def _insert(scope: Scope, table: str, values: dict[str, Any]) -> None:
    named = {"organization_id": scope.organization_id, **values}
    places = ", ".join(f"${place}" for place in range(1, len(named) + 1))
    await execute(scope, f"INSERT INTO {table} ({', '.join(named)}) VALUES ({places})", *named.values())
