"""Idempotency keys for work that takes long or reaches a provider, and so cannot wait inside a transaction."""

from collections.abc import Awaitable, Callable
from typing import Any

from app import idempotency
from app.actors import Actor


async def remembered(actor: Actor, operation: str, key: str, request: Any, work: Callable[[], Awaitable[Any]]) -> Any:
    """The earlier result of this key, else that of `work`, which is JSON and harmless to do twice at the same time.

    Raises IdempotencyKeyReused when the key came with another request.
    """
    return await idempotency.remembered(actor, operation, key, request, work, object)
