"""What hostile tests attack: an organization whose ServiceM8 holds a client with a quote."""

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


@pytest.fixture
async def clean_sandbox(sandbox: RunningSandbox) -> RunningSandbox:
    await sandbox.reset()
    return sandbox
