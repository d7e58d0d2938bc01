"""How much one caller may ask for in a minute, over all processes, and what happens when Redis is away."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from app.actors import Actor, Role
from app.api.gate import rates as rates_module
from app.api.gate.rates import RateLimited, Rates
from app.bootstrap import Hub
from app.main import create_app
from tests import factories
from tests.api.conftest import serving
from tests.api.streams import receive, socket, subscribe
from tests.api.variants import asking, with_settings
from tests.conftest import Servers

ASK = {"query": "{ quotes(first: 9) { nodes { id } } }"}
"""Costs 10, and the first time 9 more for being judged."""


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    client = Redis.from_url(servers.redis_url)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """What these tests say of a Redis that answers must hold on a slow machine, too."""
    monkeypatch.setattr(rates_module, "_PATIENCE_SECONDS", 5.0)


@pytest.fixture
def caller(owner: Actor) -> Actor:
    return factories.colleague(owner, Role.OPERATOR)


def _rates(redis: Redis, per_minute: int, prefix: str, clock: Clock | None = None) -> Rates:
    return Rates(redis, per_minute, prefix=prefix, **({"clock": clock} if clock else {}))


async def _settled(rates: Rates) -> None:
    async with asyncio.timeout(5):
        await rates.settled()


async def test_a_caller_gets_a_minutes_worth_and_then_as_much_as_has_drained(redis: Redis, caller: Actor):
    clock = Clock()
    rates = _rates(redis, 6000, secrets.token_hex(4), clock)
    for _ in range(6):
        await rates.take(caller, 1000)

    with pytest.raises(RateLimited) as refused:
        await rates.take(caller, 1000)

    assert refused.value.details == {"limit": "rate", "allowed": 6000, "measured": 7000, "retryAfter": 10}
    assert "6,000 of 6,000 objects" in refused.value.message
    assert "10 seconds" in refused.value.message
    clock.now += 60
    assert rates.used(caller) == 0


async def test_two_processes_share_one_minute(redis: Redis, caller: Actor):
    prefix, began = secrets.token_hex(4), time.monotonic()
    one, other = _rates(redis, 60_000, prefix), _rates(redis, 60_000, prefix)
    for _ in range(4):
        await one.take(caller, 10_000)
    await _settled(one)
    await other.take(caller, 10_000)
    await _settled(other)

    drained = 1000 * (time.monotonic() - began)
    assert 50_000 - drained - 100 <= other.used(caller) <= 50_000
    with pytest.raises(RateLimited):
        await other.take(caller, 15_000)
    await one.take(caller, 8000)  # near the brim Redis decides, so `one` hears of the others only now
    with pytest.raises(RateLimited):
        await one.take(caller, 8000)


async def test_what_many_processes_let_in_at_once_is_all_counted(redis: Redis, caller: Actor):
    prefix = secrets.token_hex(4)
    processes = [_rates(redis, 6000, prefix) for _ in range(4)]
    await processes[0].take(caller, 4500)
    await _settled(processes[0])

    answers = await asyncio.gather(*(rates.take(caller, 1500) for rates in processes for _ in range(5)), return_exceptions=True)

    assert all(isinstance(answer, RateLimited) for answer in answers if answer is not None)
    await asyncio.gather(*(_settled(rates) for rates in processes))
    # What was let in before the processes heard of each other is counted, and all of them wait until it has drained.
    let_in = 4500 + 1500 * sum(answer is None for answer in answers)
    late = _rates(redis, 6000, prefix)
    await late.take(caller, 1)
    await _settled(late)
    assert late.used(caller) == pytest.approx(let_in, abs=500)
    for rates in (*processes, late):
        with pytest.raises(RateLimited):
            await rates.take(caller, 1500)


async def test_what_is_let_in_at_once_is_counted_in_redis_in_one_script(redis: Redis, caller: Actor, owner: Actor):
    prefix = secrets.token_hex(4)
    rates = _rates(redis, 1_000_000, prefix)
    before = (await redis.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0)

    for _ in range(200):
        await rates.take(caller, 5)
        await rates.take(owner, 7)
    await _settled(rates)

    calls = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] - before
    assert calls <= 10
    assert len(await redis.keys(f"{prefix}:*")) == 2
    fresh = _rates(redis, 1_000_000, prefix)
    await fresh.take(caller, 1)
    await _settled(fresh)
    assert fresh.used(caller) == pytest.approx(1001, abs=950)


async def test_callers_and_organizations_do_not_share(redis: Redis, hub: Hub, caller: Actor):
    rates = _rates(redis, 600, secrets.token_hex(4))
    await rates.take(caller, 600)

    await rates.take(await factories.make_organization(hub), 600)
    with pytest.raises(RateLimited):
        await rates.take(caller, 600)


async def test_without_redis_reads_go_on_within_the_processs_own_bound(caller: Actor):
    away = Redis.from_url("redis://127.0.0.1:1/0")
    rates = _rates(away, 1000, secrets.token_hex(4))

    for _ in range(10):
        await rates.take(caller, 100)

    with pytest.raises(RateLimited):
        await rates.take(caller, 100)
    await away.aclose()


async def test_a_flush_gives_a_process_nothing_back_that_it_knows_of(redis: Redis, caller: Actor):
    prefix = secrets.token_hex(4)
    rates = _rates(redis, 60_000, prefix)
    await rates.take(caller, 40_000)
    await _settled(rates)
    await redis.delete(*await redis.keys(f"{prefix}:*"))

    await rates.take(caller, 15_000)

    assert rates.used(caller) > 50_000


async def test_nothing_is_counted_where_the_setting_is_zero(redis: Redis, caller: Actor):
    rates = _rates(redis, 0, secrets.token_hex(4))

    for _ in range(5):
        rates.require_room(caller)
        await rates.take(caller, 1_000_000)


async def test_the_refusal_over_http_is_429_and_says_when_to_come_back(hub: Hub, token: str):
    async with asking(with_settings(hub, rate_cost_per_minute=30), token) as client:
        answers = [await client.post("/graphql", json=ASK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    [error] = answers[2].json()["errors"]
    seconds = error["extensions"].pop("retryAfter")
    assert error["extensions"] == {"code": "RATE_LIMITED", "fixBy": "TIME", "limit": "rate", "allowed": 30, "measured": 39}
    assert answers[2].headers["retry-after"] == str(seconds)
    assert 14 <= seconds <= 18
    assert "data" not in answers[2].json()


async def test_the_refusal_over_a_websocket_is_an_error_of_the_operation(hub: Hub, token: str):
    kinds = []
    async with (
        serving(create_app(with_settings(hub, rate_cost_per_minute=30))) as server,
        socket(server, {"authorization": f"Bearer {token}"}) as opened,
    ):
        for number in range(3):
            await subscribe(opened, ASK["query"], {}, id=str(number))
            message = await receive(opened)
            kinds.append(message["type"])
            if message["type"] == "next":
                await receive(opened)

    assert kinds == ["next", "next", "error"]
    assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert message["payload"][0]["extensions"]["retryAfter"] > 0


async def test_documents_that_are_refused_count_too(hub: Hub, token: str):
    async with asking(with_settings(hub, rate_cost_per_minute=110), token) as client:
        answers = [await client.post("/graphql", json={"query": f"{{ nothing{number} }}"}) for number in range(4)]

    assert [answer.json()["errors"][0]["extensions"]["code"] for answer in answers[2:]] == ["RATE_LIMITED"] * 2


async def test_a_document_that_is_new_counts_by_its_length_and_a_trusted_one_does_not(hub: Hub, token: str):
    long = "{ viewer { name } } #" + "x" * 3978
    used = []
    async with asking(with_settings(hub, rate_cost_per_minute=3000), token) as client:
        for body in ({"query": long}, {"query": long}, {"documentId": "Viewer"}):
            told = await client.post("/graphql", json={**body, "extensions": {"cost": True}})
            used.append(told.json()["extensions"]["cost"]["used"])

    assert used[0] == pytest.approx(1000, abs=50)
    assert max(used[1], used[2]) <= used[0] + 4


async def test_the_costs_of_an_operation_are_told_when_asked_for(hub: Hub, token: str):
    async with asking(with_settings(hub, rate_cost_per_minute=100), token) as client:
        told = (await client.post("/graphql", json=ASK | {"extensions": {"cost": True}})).json()
        untold = (await client.post("/graphql", json=ASK)).json()

    assert told["extensions"] == {"cost": {"operation": 10, "limit": 5000, "used": 19, "perMinute": 100}}
    assert untold == {"data": told["data"]}


async def test_a_page_size_from_a_variable_is_judged_by_its_value(hub: Hub, token: str):
    query = "query ($n: Int!) { quotes(first: $n) { nodes { id lines { id } } } }"
    async with asking(with_settings(hub, limit_cost=500), token) as client:
        small = await client.post("/graphql", json={"query": query, "variables": {"n": 40}})
        big = await client.post("/graphql", json={"query": query, "variables": {"n": 80}})

    assert "errors" not in small.json()
    [error] = big.json()["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "fixBy": "CUSTOMER", "limit": "cost", "allowed": 500, "measured": 881}
