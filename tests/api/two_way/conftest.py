"""Metakocka's sandbox is read and written, ServiceM8's is only read."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from jobs.worker import work
from tests import factories
from tests.api.client import gid
from tests.api.two_way.steps import Company
from tests.two_way.office import Office


@pytest.fixture
async def worker(hub: Hub) -> AsyncIterator[None]:
    """A worker in this process."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(hub, stop))
    yield
    stop.set()
    await working


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: MetakockaSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


@pytest.fixture
def connection(office: Office) -> str:
    """The id of the connection to Metakocka."""
    return gid("Connection", office.connection.id)


@pytest.fixture
async def companies(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Company:
    await sandbox.reset()
    uuids = [(await sandbox.create("company", name=name, website="https://both.test"))["uuid"] for name in ("Acme", "Bravo", "Čebelar")]
    found = Company(hub, owner, sandbox, await factories.make_connection(hub, owner, sandbox), uuids)
    await found.sync()
    return found
