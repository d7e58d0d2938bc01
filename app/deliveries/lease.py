"""Holding a delivery while it is sent: the lease is extended as long as the work goes on, and the work ends when it is lost."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from app.actors import Scope
from app.connectors.hold import Hold, now
from app.database import transaction
from app.deliveries import repository
from app.deliveries.models import Work
from app.errors import LeaseLost

T = TypeVar("T")


async def while_held(scope: Scope, work: Work, seconds: float, hold: Hold, doing: Coroutine[Any, Any, T]) -> T:
    """The result of the work, for as long as the lease is ours. Raises LeaseLost, and ends the work, when it is not.

    A process that was frozen finds its lease gone at the first heartbeat after it is thawed, or at its first write.
    """
    task, heart = asyncio.create_task(doing), asyncio.create_task(_beat(scope, work, seconds, hold))
    try:
        await asyncio.wait({task, heart}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise LeaseLost
    finally:
        task.cancel()
        heart.cancel()
        await asyncio.gather(task, heart, return_exceptions=True)


async def _beat(scope: Scope, work: Work, seconds: float, hold: Hold) -> None:
    """Extend the lease at each third of it; return once it is lost. A database that is away for a moment is asked again."""
    is_held = True
    while is_held:
        await asyncio.sleep(seconds / 3)
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            began = now()
            async with transaction(scope):
                is_held = await repository.extend(scope, work, lease_seconds=seconds)
            if is_held:
                hold.extend(began, seconds)
