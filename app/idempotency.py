"""Keys that make a repeated request harmless: the first result is returned, another body is refused.

    async with once(actor, "approve_quote", key, request) as call:
        if call.repeated:
            return await self.decision(actor, UUID(call.result["id"]))
        ...
        call.result = {"id": decision.id}

The key commits with the work that it guards. A request that fails leaves no trace and may be tried again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.actors import Actor, Scope
from app.database import execute, fetch_row, fetch_value, transaction
from app.errors import IdempotencyKeyReused, InvalidInput

KEY_LENGTH = 200
T = TypeVar("T")


@dataclass(slots=True)
class Call:
    """One guarded request. `result` is what an earlier call left; a first call sets it to something that is JSON."""

    repeated: bool = False
    result: Any = None

    def id(self, name: str = "id") -> UUID:
        """An id of the earlier result."""
        return UUID(self.result[name])


@asynccontextmanager
async def once(actor: Actor, operation: str, key: str | None, request: Any) -> AsyncIterator[Call]:
    """A transaction (or savepoint) that runs at most once per actor and key. Without a key it simply runs.

    Calls with one key wait for each other. Raises IdempotencyKeyReused when the key came with another request.
    """
    async with transaction(actor.scope):
        call = Call()
        if key is not None:
            call = await _recall(actor, operation, key, request)
        yield call
        if key is not None and not call.repeated:
            await _remember(actor, operation, key, request, call.result)


class _NotYet(Exception):
    """This key has no result yet; nothing is stored for now."""


async def remembered(actor: Actor, operation: str, key: str | None, request: Any, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
    """The earlier result of this key, else that of `work`, which takes long or reaches a provider and so cannot wait in a transaction.

    It must be harmless to do twice at the same time. `kind` is what it returns, to be kept as JSON. Without a key it simply works.
    Raises IdempotencyKeyReused when the key came with another request.
    """
    if key is None:
        return await work()
    try:
        async with once(actor, operation, key, request) as call:
            if call.repeated:
                return msgspec.convert(call.result, kind)
            raise _NotYet
    except _NotYet:
        result = await work()
    async with once(actor, operation, key, request) as call:
        if not call.repeated:
            call.result = msgspec.to_builtins(result, str_keys=True)
    return msgspec.convert(call.result, kind) if call.repeated else result


async def forget_old(scope: Scope, before: datetime) -> int:
    """Delete keys that are older; nobody repeats a request after that long. Needs a transaction; says how many."""
    return await execute(scope, "DELETE FROM idempotency_key WHERE organization_id = $1 AND created_at < $2", scope.organization_id, before)


async def _recall(actor: Actor, operation: str, key: str, request: Any) -> Call:
    if not 1 <= len(key) <= KEY_LENGTH or not key.isprintable():
        raise InvalidInput(fields={"idempotency_key": f"An idempotency key has 1 to {KEY_LENGTH} printable characters."})
    # Two calls with one key at the same time: the second waits here and then finds the first one's result.
    lock = int.from_bytes(_digest(actor, key)[:8], "big", signed=True)
    await fetch_value(actor.scope, "SELECT pg_advisory_xact_lock($1) IS NULL", lock)
    row = await fetch_row(
        actor.scope,
        "SELECT request_hash, result FROM idempotency_key WHERE organization_id = $1 AND actor = $2 AND key = $3",
        actor.organization_id,
        _whose(actor),
        key,
    )
    if row is None:
        return Call()
    if row["request_hash"] != _digest(actor, key, operation, request).hex():
        raise IdempotencyKeyReused
    return Call(repeated=True, result=row["result"])


async def _remember(actor: Actor, operation: str, key: str, request: Any, result: Any) -> None:
    await execute(
        actor.scope,
        """
        INSERT INTO idempotency_key (organization_id, client_id, actor, key, operation, request_hash, result)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        actor.organization_id,
        actor.scope.client_id,
        _whose(actor),
        key,
        operation,
        _digest(actor, key, operation, request).hex(),
        result,
    )


def _whose(actor: Actor) -> str:
    return f"{actor.kind}:{actor.id}"


def _digest(actor: Actor, *what: Any) -> bytes:
    """One-way, and different for each actor and key: a request may hold secrets."""
    plain = msgspec.to_builtins([actor.organization_id, _whose(actor), *what], str_keys=True)
    return sha256(msgspec.json.encode(plain, order="deterministic")).digest()
