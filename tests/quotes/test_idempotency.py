"""Keys that make repeated requests harmless."""

import asyncio
from datetime import timedelta

import pytest

from app.actors import Actor, Role
from app.database import fetch, transaction
from app.errors import IdempotencyKeyReused, InvalidInput
from app.idempotency import forget_old, once
from app.ids import new_id
from tests import factories


async def guarded(
    actor: Actor, key: str | None, request: object = "body", result: object = 1, operation: str = "do"
) -> tuple[bool, object]:
    async with once(actor, operation, key, request) as call:
        if call.repeated:
            return True, call.result
        await asyncio.sleep(0.02)
        call.result = result
    return False, result


async def test_a_repeat_gets_the_first_result(owner):
    key = factories.key()

    assert await guarded(owner, key, result={"id": "1"}) == (False, {"id": "1"})
    assert await guarded(owner, key, result={"id": "2"}) == (True, {"id": "1"})


async def test_of_many_at_once_one_runs(owner):
    key = factories.key()

    results = await asyncio.gather(*(guarded(owner, key, result=number) for number in range(20)))

    assert sorted(repeated for repeated, _ in results) == [False] + [True] * 19
    assert len({result for _, result in results}) == 1


async def test_another_body_or_operation_is_refused(owner):
    key = factories.key()
    await guarded(owner, key)

    for change in ({"request": "other"}, {"operation": "other"}):
        with pytest.raises(IdempotencyKeyReused):
            await guarded(owner, key, **change)


async def test_two_actors_never_meet_in_one_key(owner):
    key, other = factories.key(), factories.colleague(owner, Role.OPERATOR)
    await guarded(owner, key)

    assert await guarded(other, key, "another body") == (False, 1)


async def test_a_request_that_failed_may_be_tried_again(owner):
    key = factories.key()
    with pytest.raises(RuntimeError):
        async with once(owner, "do", key, "body"):
            raise RuntimeError

    assert await guarded(owner, key) == (False, 1)


async def test_without_a_key_everything_runs(owner):
    assert [await guarded(owner, None), await guarded(owner, None)] == [(False, 1), (False, 1)]


async def test_keys_that_are_none_are_refused(owner):
    for key in ("", "x" * 201, "line\nbreak"):
        with pytest.raises(InvalidInput):
            await guarded(owner, key)


async def test_what_was_asked_is_not_kept(owner):
    await guarded(owner, factories.key(), {"credentials": {"api_key": "smk-secret"}, new_id(): 1})

    rows = await fetch(
        owner.scope, "SELECT idempotency_key::text AS kept FROM idempotency_key WHERE organization_id = $1", owner.organization_id
    )

    assert rows
    assert not any("smk-secret" in row["kept"] for row in rows)


async def test_old_keys_are_forgotten(hub, owner):
    key = factories.key()
    await guarded(owner, key)

    async with transaction(owner.scope):
        assert await forget_old(owner.scope, hub.now() + timedelta(seconds=1)) >= 1

    assert await guarded(owner, key, "another body") == (False, 1)
