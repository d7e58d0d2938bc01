"""Server-sent events: what is written, and that a browser which comes back misses nothing."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from portal.live import DONE, Message, encode
from tests import factories


def test_a_message_of_several_lines_is_one_event() -> None:
    assert encode(Message("<p>\n  €1</p>", 7)) == "id: 7\ndata: <p>\ndata:   €1</p>\n\n".encode()
    assert encode(DONE) == b"event: done\ndata: \n\n"


@pytest.fixture
async def http(address: str, hub: Hub, owner: Actor) -> AsyncIterator[httpx.AsyncClient]:
    """The owner, signed in."""
    async with httpx.AsyncClient(base_url=address, headers={"sec-fetch-site": "same-origin"}) as client:
        link = await hub.organizations.make_link(owner, person_id=owner.id)
        await client.post(link.replace(hub.settings.public_url, address))
        yield client


async def read_events(http: httpx.AsyncClient, path: str, **headers: str) -> list[str]:
    """The events of a stream that ends by itself."""
    async with asyncio.timeout(20), http.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = (await answer.aread()).decode()
    return [event for event in text.split("\n\n") if event and not event.startswith(":")]


async def test_a_browser_that_comes_back_gets_what_it_missed_and_the_end(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, sandbox: RunningSandbox
) -> None:
    await sandbox.reset()
    await sandbox.create("company", name="Anton Ltd")
    connection = await factories.make_connection(hub, owner, sandbox)
    head = await hub.feed.head(owner.scope)
    run = await factories.sync(hub, owner, connection)
    path = f"/console/{(await hub.organizations.get(owner)).slug}/runs/{run.id}/events"

    from_the_page = await read_events(http, f"{path}?after={head}")
    resumed = await read_events(http, path, **{"Last-Event-ID": str(head)})

    for events in (from_the_page, resumed):
        assert events[-1] == "event: done\ndata: "
        assert "Completed" in events[-2]
        assert events[-2].startswith("id: ")
