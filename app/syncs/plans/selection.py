"""Every query on what of a plan is to be applied: named one by one for this time, or selected for whenever it is applied."""

from collections.abc import Collection
from uuid import UUID

from app.actors import Scope
from app.database import execute


async def choose(scope: Scope, plan_id: UUID, item_ids: Collection[UUID]) -> int:
    """These are to be applied, and none that was chosen before. Returns how many of them can be."""
    await execute(
        scope,
        "UPDATE plan_item SET status = 'planned' WHERE organization_id = $1 AND plan_id = $2 AND status = 'chosen'",
        scope.organization_id,
        plan_id,
    )
    return await execute(
        scope,
        """
        UPDATE plan_item SET status = 'chosen'
        WHERE organization_id = $1 AND plan_id = $2 AND id = ANY($3::uuid[]) AND status = 'planned' AND kind <> 'remain'
        """,
        scope.organization_id,
        plan_id,
        list(item_ids),
    )


async def select(scope: Scope, plan_id: UUID, item_ids: Collection[UUID], *, selected: bool) -> int:
    """These go or stay when the plan is applied as it stands. Returns how many of them can."""
    return await execute(
        scope,
        """
        UPDATE plan_item SET is_optional = NOT $4
        WHERE organization_id = $1 AND plan_id = $2 AND id = ANY($3::uuid[]) AND status <> 'applied' AND kind <> 'remain'
        """,
        scope.organization_id,
        plan_id,
        list(item_ids),
        selected,
    )


async def select_kinds(scope: Scope, plan_id: UUID, kinds: Collection[str], *, selected: bool) -> None:
    """As `select`, all items of these kinds."""
    await execute(
        scope,
        """
        UPDATE plan_item SET is_optional = NOT $4
        WHERE organization_id = $1 AND plan_id = $2 AND kind = ANY($3::text[]) AND status <> 'applied' AND kind <> 'remain'
          AND is_optional = $4
        """,
        scope.organization_id,
        plan_id,
        list(kinds),
        selected,
    )
