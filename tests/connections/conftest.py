"""Connections of a test's organization to a ServiceM8 with two accounts."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox

Create = Callable[..., Awaitable[Connection]]


@pytest.fixture
def create(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Create:
    """Makes an untested connection to the sandbox; values replace what is usual."""

    async def make(**values: Any) -> Connection:
        return await hub.connections.create(
            values.pop("actor", owner),
            **(
                {
                    "provider": "servicem8",
                    "name": f"ServiceM8 {secrets.token_hex(3)}",
                    "mode": "sandbox",
                    "settings": {"base_url": sandbox.url, "delay_seconds": 0},
                    "credentials": {"api_key": sandbox.api_key},
                }
                | values
            ),
        )

    return make


@pytest.fixture
async def connection(hub: Hub, owner: Actor, create: Create) -> Connection:
    """A tested connection."""
    made = await create()
    result = await hub.connections.test(owner, made.id)
    assert result.ok, result.message
    return await hub.connections.get(owner, made.id)


@pytest.fixture(autouse=True)
async def _no_faults_left(sandbox: RunningSandbox) -> AsyncIterator[None]:
    yield
    await sandbox.clear_faults()
