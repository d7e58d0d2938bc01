"""An office that works with a Metakocka that has hardly any records."""

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.two_way.office import Office


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)
