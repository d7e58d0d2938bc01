"""One town for all tests of reads."""

import os

import pytest

from app.bootstrap import Hub
from tests.reads.asking import Town
from tests.reads.town import build

SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))


@pytest.fixture(scope="session")
async def town(hub: Hub) -> Town:
    """Two organizations full of rows, which no test changes."""
    return Town(hub, await build(hub, SEED), await build(hub, SEED + 1))
