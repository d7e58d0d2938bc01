"""A database for each file here, so that its walls can be taken down, and its things changed, without anybody else noticing."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from app import database as pool
from app import embedded, migrations
from app.api.gate import checks
from app.api.reads import answers, plans
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.settings import Secret, Settings
from tests.api.conftest import serving
from tests.conftest import Servers
from tests.security.callers import Callers, make_callers
from tests.security.matrix import Matrix
from tests.security.rows import Database
from tests.security.world import World, make_world


@pytest.fixture(scope="module")
def admin_url(servers: Servers, data_dir: Path) -> str:
    """A superuser's login."""
    if "CROSSWALK_TEST_DATABASE_URL" in os.environ:
        return servers.owner_url
    return embedded.attach(data_dir / "servers").admin_url


@pytest.fixture(scope="module")
async def own_database(admin_url: str) -> AsyncIterator[str]:
    """The name of a freshly migrated database."""
    name = f"crosswalk_matrix_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"CREATE DATABASE {name}")
    await migrations.migrate(in_database(admin_url, name))
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="module")
async def database(admin_url: str, own_database: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(in_database(admin_url, own_database), server_settings={"timezone": "UTC"})
    opened = Database(connection)
    await opened.open()
    yield opened
    await connection.close()


@pytest.fixture(scope="module")
async def hub(settings: Settings, servers: Servers, own_database: str) -> AsyncIterator[Hub]:
    """A hub on the matrix's database; whatever hub was open before is so again afterwards."""
    url = in_database(servers.app_url, own_database)
    with pytest.MonkeyPatch.context() as patch:
        for module in (checks, answers, plans):  # everybody asks the same large documents, each of which takes long to judge and to plan
            patch.setattr(module, "_CHARACTERS", 50_000_000)
        patch.setattr(plans, "_PLANS", 1000)
        async with _beside_another_hub(), Hub(replace(settings, database_url=Secret(url))) as opened:
            yield opened


@asynccontextmanager
async def _beside_another_hub() -> AsyncIterator[None]:
    before, pool._engine = pool._engine, None
    yield
    pool._engine = before


def in_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="module")
async def world(hub: Hub, sandbox: RunningSandbox, database: Database) -> World:
    return await make_world(hub, sandbox, database)


@pytest.fixture(scope="module")
async def callers(world: World) -> Callers:
    return await make_callers(world)


@pytest.fixture(scope="module")
async def matrix(hub: Hub, world: World, callers: Callers) -> AsyncIterator[Matrix]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as http:
        yield Matrix(world, http)


@pytest.fixture(scope="module")
async def server(hub: Hub) -> AsyncIterator[str]:
    """The address of a real server over the matrix's database."""
    async with serving(create_app(hub)) as address:
        yield address
