"""One Metakocka sandbox with hardly any records, put back to its start before each test."""

from collections.abc import AsyncIterator

import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox, running_sandbox
from tests.connectors.metakocka.company import CONFIG


@pytest.fixture(scope="session")
async def mk_process(budgets: None) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(CONFIG) as sandbox:
        yield sandbox


@pytest.fixture
async def mk(mk_process: RunningSandbox) -> RunningSandbox:
    await mk_process.reset()
    return mk_process
