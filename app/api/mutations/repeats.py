"""Idempotency keys for work that takes long or reaches a provider, and so cannot wait inside a transaction."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.actors import Actor
from app.idempotency import once


class _NotYet(Exception):
    """This key has no result yet; nothing is stored for now."""


async def remembered(actor: Actor, operation: str, key: str, request: Any, work: Callable[[], Awaitable[Any]]) -> Any:
    """The earlier result of this key, else that of `work`, which is JSON and harmless to do twice at the same time.

    Raises IdempotencyKeyReused when the key came with another request.
    """
    try:
        async with once(actor, operation, key, request) as call:
            if call.repeated:
                return call.result
            raise _NotYet
    except _NotYet:
        result = await work()
    async with once(actor, operation, key, request) as call:
        if not call.repeated:
            call.result = result
    return result
