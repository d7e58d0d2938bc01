"""A quote that a client may decide."""

from collections.abc import AsyncIterator

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests.quotes.world import World, make_world


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> AsyncIterator[World]:
    yield await make_world(hub, owner, sandbox)
    await sandbox.clear_faults()
    await sandbox.release_writes()
