"""Redis, and one ServiceM8 sandbox with small pages that is put back to its start before each test."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from redis.asyncio import Redis

from app.connectors.servicem8.sandbox.config import AccountConfig, SandboxConfig, TaxRate
from app.connectors.servicem8.sandbox.testing import RunningSandbox, running_sandbox
from tests.conftest import Servers
from tests.connectors.contract import CONNECTORS, Provider
from tests.connectors.kit import use_redis
from tests.connectors.subject import subject_of

LJUBLJANA = AccountConfig(
    api_keys=("smk-ljubljana",),
    uuid="5a2d8c10-0000-4000-8000-000000000002",
    name="Žarek elektro",
    currency="EUR",
    timezone_name="Europe/Ljubljana",
    country="Slovenia",
    tax_rates=(TaxRate(name="DDV", percent="22"), TaxRate(name="DDV 9,5", percent="9.5")),
)


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    async with Redis.from_url(servers.redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def budgets(servers: Servers) -> None:
    """Sessions of tests have real budgets."""
    use_redis(servers.redis_url)


@pytest.fixture(scope="session")
async def sm8_process(budgets: None) -> AsyncIterator[RunningSandbox]:
    config = SandboxConfig(accounts=(AccountConfig(), LJUBLJANA), limits_factor=None, page_size=3)
    async with running_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
async def sm8(sm8_process: RunningSandbox) -> RunningSandbox:
    await sm8_process.reset()
    return sm8_process


@pytest.fixture(scope="session")
async def running(budgets: None) -> AsyncIterator[dict[str, Provider]]:
    """All sandboxes, each in a process of its own, started when a test first needs one of them."""
    providers: dict[str, Provider] = {}
    starts: list[AbstractAsyncContextManager[Any]] = []
    for name, connector in CONNECTORS.items():
        subject = subject_of(name)
        starts.append(subject.start())
        providers[name] = Provider(connector, subject, await starts[-1].__aenter__())
    yield providers
    for start in starts:
        await start.__aexit__(None, None, None)


@pytest.fixture
async def provider(running: dict[str, Provider], request: pytest.FixtureRequest) -> Provider:
    found = running[request.param]
    await found.sandbox.reset()
    return found
