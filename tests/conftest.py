"""What every test gets: real servers, a migrated database, an opened hub, an organization of its own.

The servers are the hub's embedded ones, or those that CROSSWALK_TEST_DATABASE_URL (a superuser's or owner's login) and
CROSSWALK_TEST_REDIS_URL name. Tests share one database; each works in an organization that it made.
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import redis

from app import embedded, migrations
from app.actors import Actor, Role, Scope
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox import testing as metakocka_sandbox
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.connectors.servicem8.sandbox.config import AccountConfig, SandboxConfig
from app.connectors.servicem8.sandbox.testing import RunningSandbox, start_sandbox
from app.settings import Secret, Settings
from tests import factories
from tests.connectors.metakocka import company as metakocka_company


@dataclass(frozen=True)
class Servers:
    """Where the tests' servers are. `owner_url` may make databases; `app_url` is a database with the schema."""

    owner_url: str
    app_url: str
    redis_url: str


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cw-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def servers(data_dir: Path) -> Iterator[Servers]:
    """Running servers with a freshly migrated database."""
    external = os.environ.get("CROSSWALK_TEST_DATABASE_URL")
    if external:
        yield from _external_servers(external, os.environ["CROSSWALK_TEST_REDIS_URL"])
        return
    with embedded.start(data_dir / "servers") as running:
        asyncio.run(migrations.migrate(running.owner_url))
        yield Servers(running.owner_url, running.app_url, running.redis_url)
    embedded.erase(data_dir / "servers")  # root's servers keep their data elsewhere than in the folder


def _external_servers(owner_url: str, redis_url: str) -> Iterator[Servers]:
    name = f"crosswalk_test_{secrets.token_hex(6)}"
    url = owner_url.rpartition("/")[0] + "/" + name
    asyncio.run(_administer(owner_url, f"CREATE DATABASE {name}"))
    try:
        asyncio.run(migrations.migrate(url))
        redis.Redis.from_url(redis_url).flushdb()
        yield Servers(url, url, redis_url)
    finally:
        asyncio.run(_administer(owner_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _administer(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    """A ServiceM8 without limits, in a process of its own. A test that seeds it resets it first.

    Its limits count by key: a test that switches them on takes the second key, which what other tests left to do does not use.
    """
    account = AccountConfig(api_keys=("smk-sandbox", "smk-sandbox-two"))
    running = start_sandbox(SandboxConfig(accounts=(account,), limits_factor=None, page_size=200))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def metakocka_process() -> Iterator[MetakockaSandbox]:
    running = metakocka_sandbox.start_sandbox(metakocka_company.CONFIG)
    yield running
    running.stop()


@pytest.fixture
async def metakocka(metakocka_process: MetakockaSandbox) -> MetakockaSandbox:
    """A Metakocka with a dozen products and no other records, in a process of its own."""
    await metakocka_process.reset()
    return metakocka_process


@pytest.fixture(scope="session")
def settings(servers: Servers, sandbox: RunningSandbox, metakocka_process: MetakockaSandbox, data_dir: Path) -> Settings:
    return Settings(
        database_url=Secret(servers.app_url),
        redis_url=Secret(servers.redis_url),
        data_dir=data_dir,
        sandboxes=True,
        sandbox_urls=(sandbox.url, metakocka_process.url),
        public_url="http://hub.test",
        rate_cost_per_minute=1_000_000_000,  # the tests' callers ask for more in a minute than anybody may
    )


@pytest.fixture(scope="session")
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    async with Hub(settings) as opened:
        yield opened


@pytest.fixture
async def owner(hub: Hub) -> Actor:
    """The owner of an organization that nobody else has."""
    return await factories.make_organization(hub)


@pytest.fixture
def operator(owner: Actor) -> Actor:
    return factories.colleague(owner, Role.OPERATOR)


@pytest.fixture
def viewer(owner: Actor) -> Actor:
    return factories.colleague(owner, Role.VIEWER)


@pytest.fixture
def scope(owner: Actor) -> Scope:
    return owner.scope
