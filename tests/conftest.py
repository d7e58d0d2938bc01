"""What every test gets: real servers, a migrated database, an opened hub, an organization of its own.

The servers are the hub's embedded ones, or those that CROSSWALK_TEST_DATABASE_URL (a superuser's or owner's login) and
CROSSWALK_TEST_REDIS_URL name. Tests share one database; each works in an organization that it made.

Several processes may share the tests (pytest-xdist): each has servers, sandboxes and a hub of its own, or on servers that are named a
database and a Redis database of its own. A test marked `alone` runs while no other process runs one.
"""

import asyncio
import fcntl
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import redis
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

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

# Two things that cost a tenth of the suite's time and more: colours in logs that nobody reads, and the search for a module that
# httpcore would use if it were there, at every request, by way of pytest's import hook.
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer(default=str)])
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

HERE = Path(__file__).parent
PROCESSES = 3
"""How many share the whole suite, each with its servers and browser. Tests wait a lot: two leave a third of two cores idle."""
CAMPAIGNS = ("tests/two_way/test_simulation.py",)
"""Files of long tests that share nothing."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What `-n auto` means: several processes for folders, none for a file or a few chosen tests, which one wants to see at work."""
    chosen = config.option.keyword or config.getoption("lf", False) or config.option.capture == "no"
    return 0 if chosen or not all(os.path.isdir(argument) for argument in config.args) else min(PROCESSES, 1 + (os.cpu_count() or 1))


class _Scheduling(LoadFileScheduling):
    """A file's tests run in one process, for they share what is slow to make; but a campaign's are dealt out one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(CAMPAIGNS) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """With `--dist loadfile`."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Wait until a test that must be alone has ended, or for everybody else's; before the test's own time begins to count.

    Who waits stands in the door, so that a test that must be alone is not passed by others for ever.
    """
    door, place = os.open(__file__, os.O_RDONLY), os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(place, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)
    finally:
        os.close(door)
        os.close(place)


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
        yield from _external_servers(external, _own_redis_database(os.environ["CROSSWALK_TEST_REDIS_URL"]))
        return
    with embedded.start(data_dir / "servers") as running:
        asyncio.run(_hurry(running.admin_url))
        asyncio.run(migrations.migrate(running.owner_url))
        yield Servers(running.owner_url, running.app_url, running.redis_url)
    embedded.erase(data_dir / "servers")  # root's servers keep their data elsewhere than in the folder


def _external_servers(owner_url: str, redis_url: str) -> Iterator[Servers]:
    name = f"crosswalk_test_{secrets.token_hex(6)}"
    url = owner_url.rpartition("/")[0] + "/" + name
    asyncio.run(_administer(owner_url, f"CREATE DATABASE {name}"))
    try:
        asyncio.run(migrations.migrate(url))
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
        yield Servers(url, url, redis_url)
    finally:
        asyncio.run(_administer(owner_url, f"DROP DATABASE {name} WITH (FORCE)"))


def _own_redis_database(url: str) -> str:
    """The one that is named for the first process, the next one for the second, and so on."""
    named, process = urlsplit(url), int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = next(filter(str.isdecimal, [*parse_qs(named.query).get("db", []), named.path.strip("/"), "0"]))
    return named._replace(query=f"db={int(first) + process}").geturl() if process else url


async def _hurry(admin_url: str) -> None:
    """Nothing waits for the disk. Whoever kills a server finds all of it: only a machine that loses its power would not."""
    connection = await asyncpg.connect(admin_url)
    await connection.execute("ALTER SYSTEM SET fsync TO off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


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
