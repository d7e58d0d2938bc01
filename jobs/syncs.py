"""Jobs of the bulk lane."""

from typing import Any
from uuid import UUID

Context = dict[str, Any]


async def advance_run(ctx: Context, organization_id: str, sync_run_id: str) -> None:
    await ctx["hub"].syncs.advance(UUID(organization_id), UUID(sync_run_id))


async def push_record(ctx: Context, organization_id: str, delivery_id: str) -> None:
    await ctx["hub"].pushes.send(UUID(organization_id), UUID(delivery_id))


async def release_deletions(ctx: Context, organization_id: str, quarantine_id: str) -> None:
    await ctx["hub"].quarantine.advance(UUID(organization_id), UUID(quarantine_id))
