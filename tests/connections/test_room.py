"""How many decisions may be in hand follows the limits that a connection's settings give it."""

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests import factories
from tests.connectors.metakocka.company import settings_of


@pytest.mark.parametrize(("requests_per_minute", "room"), [(30, 3), (60, 4), (9, 2)])
async def test_the_room_for_decisions_follows_the_connections_settings(
    hub: Hub, owner: Actor, metakocka: RunningSandbox, requests_per_minute: int, room: int
):
    given = settings_of(metakocka) | {"requests_per_minute": requests_per_minute}
    connection = await hub.connections.create(
        owner,
        provider="metakocka",
        name="Metakocka",
        mode="sandbox",
        settings={name: value for name, value in given.items() if name != "secret_key"},
        credentials={"secret_key": given["secret_key"]},
        idempotency_key=factories.key(),
    )

    assert await hub.connections.sessions.room(owner.scope, connection.id, "metakocka", 10, 4) == room
