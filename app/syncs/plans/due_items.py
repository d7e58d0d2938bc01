"""Every query on the items of a plan that are to be applied, and on what came of it."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.database import execute, fetch, fetch_value
from app.syncs.plans.items import NOW
from app.syncs.plans.models import DueItem, Moved

_DUE = ", ".join(f"item.{field.name}" for field in fields(DueItem))
_WANTED = """
    (item.status = 'chosen' OR (item.status = 'planned' AND NOT item.is_optional AND NOT plan.chosen_only)) AND item.kind <> 'remain'
"""
"""What is to be applied of a plan."""


async def moved(
    scope: Scope, plan_id: UUID, connection_id: UUID, item_ids: Collection[UUID] | None = None, *, limit: int = 20
) -> list[Moved]:
    """What is to be applied and is not what the plan saw: of all items, or of these."""
    rows = await fetch(
        scope,
        f"""
        SELECT stream, key, record_id, seen, now FROM (
            SELECT item.*, {NOW} AS now FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
            WHERE item.organization_id = $1 AND item.plan_id = $2 AND ($4::uuid[] IS NULL OR item.id = ANY($4)) AND {_WANTED} OFFSET 0
        ) AS item WHERE seen IS DISTINCT FROM now ORDER BY id LIMIT $5
        """,
        scope.organization_id,
        plan_id,
        connection_id,
        list(item_ids) if item_ids is not None else None,
        limit,
    )
    return [Moved(row["stream"], row["key"], row["record_id"], _what(row["seen"] or {}, row["now"] or {})) for row in rows]


def _what(seen: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return "record" if seen.get("record") != now.get("record") else "mapping"


async def is_any_due(scope: Scope, plan_id: UUID) -> bool:
    """Whether anything is left that is applied without being chosen."""
    found: bool = await fetch_value(
        scope,
        f"""
        SELECT EXISTS (SELECT FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
            WHERE item.organization_id = $1 AND item.plan_id = $2 AND {_WANTED})
        """,
        scope.organization_id,
        plan_id,
    )
    return found


async def due_count(scope: Scope, plan_id: UUID, stream: str, direction: str) -> int:
    """How many items of a stream are to be applied."""
    found: int = await fetch_value(
        scope,
        f"""
        SELECT count(*) FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $3 AND item.direction = $4 AND {_WANTED}
        """,
        scope.organization_id,
        plan_id,
        stream,
        direction,
    )
    return found


async def is_any_left(scope: Scope, plan_id: UUID, stream: str) -> bool:
    """Whether something of a stream's pull has not been applied."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM plan_item
            WHERE organization_id = $1 AND plan_id = $2 AND stream = $3 AND direction = 'pull' AND status <> 'applied')
        """,
        scope.organization_id,
        plan_id,
        stream,
    )
    return found


async def is_undone(scope: Scope, plan_id: UUID) -> bool:
    """Whether all is applied that takes a run back, but for what was changed since."""
    left: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM plan_item
            WHERE organization_id = $1 AND plan_id = $2 AND kind NOT IN ('conflict', 'remain') AND status <> 'applied')
        """,
        scope.organization_id,
        plan_id,
    )
    return not left


async def due(scope: Scope, plan_id: UUID, stream: str, direction: str, *, after: UUID | None, limit: int) -> list[DueItem]:
    """The next items that are to be applied."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $3 AND item.direction = $4
          AND ($5::uuid IS NULL OR item.id > $5) AND {_WANTED}
        ORDER BY item.id LIMIT $6
        """,
        scope.organization_id,
        plan_id,
        stream,
        direction,
        after,
        limit,
    )
    return [DueItem(**row) for row in rows]


async def by_keys(scope: Scope, plan_id: UUID, stream: str, keys: Collection[str]) -> list[DueItem]:
    """Objects of a pull that have to go with others, if they have not been applied."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.key = ANY($3::text[]) AND item.stream = $4
          AND item.direction = 'pull' AND item.status <> 'applied'
        """,
        scope.organization_id,
        plan_id,
        list(keys),
        stream,
    )
    return [DueItem(**row) for row in rows]


async def unchecked(scope: Scope, plan_id: UUID, run_id: UUID, stream: str, limit: int) -> list[DueItem]:
    """Pushes that are to be applied and whose object this run has not looked at yet."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_DUE} FROM plan_item AS item JOIN plan ON plan.organization_id = $1 AND plan.id = item.plan_id
        WHERE item.organization_id = $1 AND item.plan_id = $2 AND item.stream = $4 AND item.direction = 'push'
          AND item.checked_run_id IS DISTINCT FROM $3 AND {_WANTED}
        ORDER BY item.id LIMIT $5
        """,
        scope.organization_id,
        plan_id,
        run_id,
        stream,
        limit,
    )
    return [DueItem(**row) for row in rows]


async def mark_checked(scope: Scope, run_id: UUID, item_ids: Collection[UUID]) -> None:
    await execute(
        scope,
        "UPDATE plan_item SET checked_run_id = $2 WHERE organization_id = $1 AND id = ANY($3::uuid[])",
        scope.organization_id,
        run_id,
        list(item_ids),
    )


async def mark_applied(scope: Scope, item_ids: Collection[UUID]) -> None:
    await execute(
        scope,
        "UPDATE plan_item SET status = 'applied' WHERE organization_id = $1 AND id = ANY($2::uuid[])",
        scope.organization_id,
        list(item_ids),
    )
