"""The API over real HTTP: in process for plain requests, through uvicorn on loopback for streams."""

import asyncio
import copy
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from app.actors import Actor
from app.api.live.frames import SharedFrames
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from tests import factories
from tests.api.client import GraphQLClient, Statements


@pytest.fixture(scope="session")
async def app(hub: Hub) -> Starlette:
    return create_app(hub)


@pytest.fixture(scope="session")
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody in particular."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        yield client


@pytest.fixture(scope="session")
async def server(app: Starlette) -> AsyncIterator[str]:
    """The address of a real server in this process."""
    async with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
async def open_server(hub: Hub) -> AsyncIterator[str]:
    """The same hub for developers: with introspection and the IDE page."""
    open_hub = copy.copy(hub)
    open_hub.settings = replace(hub.settings, introspection=True, debug=True)
    async with serving(create_app(open_hub)) as address:
        yield address


@asynccontextmanager
async def serving(app: Starlette, websockets: type[SharedFrames] = SharedFrames) -> AsyncIterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_level="error", proxy_headers=False, ws=websockets)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve([listening]))
    while not running.started:
        await asyncio.sleep(0.01)
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    await task
    listening.close()


@pytest.fixture
async def token(hub: Hub, owner: Actor) -> str:
    """An owner's API token."""
    return await make_token(hub, owner, "owner")


@pytest.fixture
async def api(http: httpx.AsyncClient, token: str) -> GraphQLClient:
    """An owner's client."""
    return GraphQLClient(http, token)


@pytest.fixture
async def operator_api(hub: Hub, http: httpx.AsyncClient, owner: Actor) -> GraphQLClient:
    return GraphQLClient(http, await make_token(hub, owner, "operator"))


@pytest.fixture
async def viewer_api(hub: Hub, http: httpx.AsyncClient, owner: Actor) -> GraphQLClient:
    return GraphQLClient(http, await make_token(hub, owner, "viewer"))


@pytest.fixture
def statements() -> Statements:
    return Statements()


async def make_token(hub: Hub, owner: Actor, role: str, **values: Any) -> str:
    _, secret = await hub.organizations.create_token(owner, name=f"A token for {role}", role=role, **values)
    return secret


@pytest.fixture
async def connection(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Any:
    """A tested connection to a sandbox that holds nothing but what the test puts there."""
    await sandbox.reset()
    return await factories.make_connection(hub, owner, sandbox)
