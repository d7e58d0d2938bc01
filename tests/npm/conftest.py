"""The hub of the other tests, served on loopback for programs that are not Python."""

import copy
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from tests.api.conftest import make_token, serving
from tests.npm.programs import TYPESCRIPT, run_program, run_script
from tests.quotes.world import World, make_world


@pytest.fixture(scope="session")
async def server(hub: Hub) -> AsyncIterator[str]:
    """host:port of a real server in this process."""
    async with serving(create_app(hub)) as address:
        yield address


@pytest.fixture(scope="session")
async def trusting_server(hub: Hub) -> AsyncIterator[str]:
    """The same hub, answering trusted documents only."""
    trusting = copy.copy(hub)
    trusting.settings = replace(hub.settings, trusted_documents_only=True)
    async with serving(create_app(trusting)) as address:
        yield address


@pytest.fixture(scope="session")
async def typescript() -> None:
    """The TypeScript client, generated, compiled, and built for Node."""
    await run_script("clients.py", "typescript")
    await run_program("npm", "run", "check", cwd=TYPESCRIPT)
    await run_program("npm", "run", "build", cwd=TYPESCRIPT)


@pytest.fixture
async def token(hub: Hub, owner: Actor) -> str:
    """An owner's API token."""
    return await make_token(hub, owner, "owner")


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    """One quote that can be decided."""
    return await make_world(hub, owner, sandbox)
