"""One budget for all workers, kept in Redis."""

import asyncio
import os
import secrets
import sys
import time

import pytest
from redis.asyncio import Redis

from app.budget import RedisBudget
from app.connectors.base import RateLimit
from app.connectors.budget import ConnectionBudget
from app.connectors.errors import QuotaExhausted, RateLimited
from app.connectors.servicem8.connector import connector
from tests.conftest import Servers
from tests.connectors.kit import budget_of

MINUTE, DAY = connector.rate_limits


async def taken(budget: ConnectionBudget, priority: str, at_most: int) -> int:
    """How many requests are given without a wait."""
    for count in range(at_most):
        full = await budget.counters.take(budget.key, budget.limits, urgent=priority == "decision")
        if full:
            return count
    return at_most


@pytest.mark.requirement("SM8-04", "SM8-63")
async def test_bulk_work_leaves_a_share_of_the_minute_and_the_day_to_decisions(redis: Redis):
    minute = budget_of(redis, [MINUTE])
    day = budget_of(redis, [RateLimit("day", 50, 86_400, 1)])

    assert (await taken(minute, "bulk", 200), await taken(minute, "decision", 200)) == (179, 1)
    assert (await taken(day, "bulk", 200), await taken(day, "decision", 200)) == (49, 1)
    assert (MINUTE.requests, MINUTE.reserved, DAY.requests, DAY.reserved) == (180, 1, 20_000, 400)


async def test_a_used_up_day_says_when_it_goes_on(redis: Redis):
    budget = budget_of(redis, [RateLimit("day", 2, 86_400, 1)])
    await budget.acquire("bulk")

    with pytest.raises(QuotaExhausted) as refused:
        await budget.acquire("bulk")

    assert 86_000 < refused.value.retry_after <= 88_000
    assert await budget.acquire("decision") == 0


async def test_a_full_minute_is_not_sat_out_in_a_workers_slot(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 1, 60, 0)])
    await budget.acquire("bulk")

    with pytest.raises(RateLimited) as refused:
        await budget.acquire("bulk")

    assert not isinstance(refused.value, QuotaExhausted)
    assert 55 < refused.value.retry_after <= 62


@pytest.mark.alone
async def test_a_short_wait_is_sat_out_and_told(redis: Redis):
    budget = budget_of(redis, [RateLimit("moment", 5, 1, 0)])
    for _ in range(5):
        assert await budget.acquire("bulk") == 0

    started = time.monotonic()
    waited = await budget.acquire("bulk")

    assert 0.7 < waited < 1.5
    assert time.monotonic() - started == pytest.approx(waited, abs=0.3)


async def test_in_no_stretch_of_the_window_more_is_sent_than_allowed(redis: Redis):
    budget = budget_of(redis, [RateLimit("moment", 20, 1, 0)])
    sent: list[float] = []

    async def work() -> None:
        for _ in range(12):
            await budget.acquire("bulk")
            sent.append(time.monotonic())

    await asyncio.gather(*(work() for _ in range(5)))

    sent.sort()
    assert all(later - earlier > 0.97 for earlier, later in zip(sent, sent[20:], strict=False))


WORKER = """
import asyncio, sys
from redis.asyncio import Redis
from app.budget import RedisBudget
from app.connectors.base import RateLimit

async def main():
    async with Redis.from_url(sys.argv[1]) as redis:
        budget, given = RedisBudget(redis), 0
        print("ready", flush=True)
        sys.stdin.readline()
        while await budget.take(sys.argv[2], [RateLimit("minute", 100, 60, 1)], urgent=False) is None:
            given += 1
    print(given)

asyncio.run(main())
"""


async def test_room_is_for_whole_decisions_and_none_in_a_pause(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 60, 60, 1), DAY])

    assert await budget.room(12, 4) == 4
    assert await taken(budget, "decision", 20) == 20
    assert await budget.room(12, 4) == 3
    assert await taken(budget, "decision", 29) == 29
    assert await budget.room(12, 4) == 0
    assert await budget.room(11, 4) == 1
    await budget.pause(30)
    assert await budget.room(1, 4) == 0


async def test_a_decision_of_more_requests_than_half_a_window_is_not_waited_for_in_vain(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 60, 60, 1)])
    await taken(budget, "decision", 30)

    assert await budget.room(500, 4) == 1
    assert await taken(budget, "decision", 1) == 1
    assert await budget.room(500, 4) == 0


async def test_bulk_work_stands_back_while_decisions_ask_for_room(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 60, 60, 1)])
    other = ConnectionBudget(RedisBudget(redis), budget.key, budget.limits)

    await budget.room(12, 2)

    assert (await taken(other, "bulk", 60), await taken(other, "decision", 60)) == (36, 24)


async def test_bulk_work_keeps_half_a_window_however_much_decisions_ask_for(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 60, 60, 1)])

    await budget.room(500, 4)

    assert await taken(budget, "bulk", 60) == 30


async def test_room_counts_what_this_process_sent_when_redis_is_away():
    async with Redis(host="127.0.0.1", port=1) as nowhere:
        budget = budget_of(nowhere, [RateLimit("minute", 60, 60, 1)])
        await taken(budget, "decision", 40)

        assert await budget.room(12, 4) == 1
        await budget.pause(30)
        assert await budget.room(12, 4) == 0


@pytest.mark.requirement("SM8-04", "SM8-63")
async def test_two_processes_share_one_budget(servers: Servers):
    key = secrets.token_hex(8)
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    workers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, servers.redis_url, key, env=os.environ, **pipes)
        for _ in range(2)
    ]
    for worker in workers:
        await worker.stdout.readline()

    outputs = await asyncio.gather(*(worker.communicate(b"\n") for worker in workers))

    counts = [int(output) for output, _ in outputs]
    assert sum(counts) == 99


async def test_connections_do_not_share_a_budget(redis: Redis):
    shared = RedisBudget(redis)
    first, second = (ConnectionBudget(shared, secrets.token_hex(8), [RateLimit("minute", 3, 60, 0)]) for _ in range(2))

    assert (await taken(first, "bulk", 9), await taken(second, "bulk", 9)) == (3, 3)


async def test_a_pause_that_the_provider_asked_for_holds_every_worker(redis: Redis):
    key, limits = secrets.token_hex(8), [RateLimit("minute", 100, 60, 1)]
    one, other = (ConnectionBudget(RedisBudget(redis), key, limits) for _ in range(2))

    await one.pause(30)
    await one.pause(1)

    for budget, priority in ((one, "bulk"), (other, "bulk"), (one, "decision"), (other, "decision")):
        with pytest.raises(RateLimited) as refused:
            await budget.acquire(priority)
        assert 25 < refused.value.retry_after <= 30


async def test_a_quota_that_the_provider_says_is_used_up_holds_bulk_work_and_lets_decisions_try(redis: Redis):
    key, limits = secrets.token_hex(8), [RateLimit("minute", 100, 60, 1)]
    one, other = (ConnectionBudget(RedisBudget(redis), key, limits) for _ in range(2))

    await one.pause(3600, quota=True)

    for budget in (one, other):
        with pytest.raises(QuotaExhausted) as refused:
            await budget.acquire("bulk")
        assert 3590 < refused.value.retry_after <= 3600
        assert await budget.acquire("decision") == 0


async def test_a_flushed_redis_lets_no_process_pass_its_own_limit(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 10, 60, 1)])
    assert await taken(budget, "bulk", 5) == 5
    names = [name async for name in redis.scan_iter(match=f"*{budget.key}*")]
    assert names

    await redis.delete(*names)

    assert await taken(budget, "bulk", 50) == 4


async def test_a_redis_that_is_away_stops_nothing_at_once_and_bounds_each_process():
    async with Redis(host="127.0.0.1", port=1) as nowhere:
        budget = budget_of(nowhere, [RateLimit("minute", 10, 60, 1)])

        assert await taken(budget, "bulk", 50) == 9
        await budget.pause(30)
        with pytest.raises(RateLimited):
            await budget.acquire("decision")


@pytest.mark.alone
async def test_taking_is_fast(redis: Redis):
    budget = budget_of(redis, [RateLimit("minute", 100_000, 60, 1), RateLimit("day", 1_000_000, 86_400, 400)])
    await budget.acquire("bulk")

    started = time.perf_counter()
    for _ in range(200):
        await budget.acquire("bulk")

    assert (time.perf_counter() - started) / 200 < 0.01
