"""SIGKILL of a web process under 200 live subscriptions: whoever comes back has every event exactly once."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.exceptions import WebSocketException

from app.actors import Actor
from app.bootstrap import Hub
from app.database import transaction
from app.ids import new_id
from app.settings import Settings
from tests.api.streams import receive, subscribe
from tests.api.streams import socket as graphql_socket
from tests.factories import make_organization
from tests.kill.workers import ROOT, environment, kill

SUBSCRIBERS = int(os.environ.get("CROSSWALK_KILL_SUBSCRIBERS", "200"))
EVENTS = 120
QUERY = "subscription ($after: String) { connectionChanged(after: $after) { cursor revision missed } }"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _start_web(settings: Settings, port: int) -> "subprocess.Popen[bytes]":
    """`crosswalk serve`, once it answers."""
    web = subprocess.Popen(  # noqa: ASYNC220  # it returns at once
        [sys.executable, "-c", "from app.cli import app; app()", "serve"],
        cwd=ROOT,
        env=environment(settings) | {"CROSSWALK_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            assert web.poll() is None, "The web process has ended."
            with suppress(httpx.HTTPError):
                await client.get(f"http://127.0.0.1:{port}/health/live")
                return web
            await asyncio.sleep(0.1)


class Subscriber:
    """A client that comes back until it has the last event."""

    def __init__(self, address: str, token: str, after: str, way: Any) -> None:
        self.address, self.token, self.after, self.way = address, token, after, way
        self.revisions: list[int] = []
        self.missed = 0
        self.connections = 0

    async def follow(self) -> None:
        while not self.revisions or self.revisions[-1] < EVENTS:
            with suppress(OSError, WebSocketException, httpx.HTTPError, StopAsyncIteration):
                async with self.way(self.address, self.token, self.after) as changes:
                    self.connections += 1
                    async for change in changes:
                        self.revisions.append(change["revision"])
                        self.missed += change["missed"]
                        self.after = change["cursor"]
                        if change["revision"] == EVENTS:
                            return
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _by_socket(address: str, token: str, after: str) -> AsyncIterator[AsyncIterator[Any]]:
    async with graphql_socket(address, {"authorization": f"Bearer {token}"}, compression=None) as opened:
        await subscribe(opened, QUERY, {"after": after})

        async def read() -> AsyncIterator[Any]:
            while True:
                yield (await receive(opened))["payload"]["data"]["connectionChanged"]

        yield read()


def _by_events(client: httpx.AsyncClient) -> Any:
    """Through one client for all: making one takes longer than a whole stream."""

    @asynccontextmanager
    async def follow(address: str, token: str, after: str) -> AsyncIterator[AsyncIterator[Any]]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        body = {"query": QUERY, "variables": {"after": after}}
        async with client.stream("POST", f"http://{address}/graphql", json=body, headers=headers) as response:
            yield _changes(response)

    return follow


async def _changes(response: httpx.Response) -> AsyncIterator[Any]:
    async for line in response.aiter_lines():
        if line.startswith("data:") and (data := line[5:].strip()):
            yield json.loads(data)["data"]["connectionChanged"]


async def _publish(hub: Hub, owner: Actor, subject: Any, revisions: range) -> None:
    for revision in revisions:
        async with transaction(owner.scope):
            await hub.feed.publish(owner.scope, topic="connection", subject_id=subject, revision=revision)
        await asyncio.sleep(0.01)


async def _until(subscribers: list[Subscriber], revision: int) -> None:
    """Until every one has this event."""
    async with asyncio.timeout(60):
        while any(not each.revisions or each.revisions[-1] < revision for each in subscribers):
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_a_web_process_killed_under_many_streams_costs_no_event_and_doubles_none(hub: Hub, settings: Settings):
    owner = await make_organization(hub)
    tokens = [(await hub.organizations.create_token(owner, name=f"Token {number}", role="viewer"))[1] for number in range(4)]
    port, subject = _free_port(), new_id()
    client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=None))
    after = f"{await hub.feed.head(owner.scope)}.0"
    web = await _start_web(settings, port)
    subscribers = [
        Subscriber(f"127.0.0.1:{port}", tokens[number % 4], after, _by_events(client) if number % 4 == 3 else _by_socket)
        for number in range(SUBSCRIBERS)
    ]
    following = asyncio.gather(*(each.follow() for each in subscribers))
    try:
        await _publish(hub, owner, subject, range(1, 41))
        await _until(subscribers, 40)
        publishing = asyncio.create_task(_publish(hub, owner, subject, range(41, 81)))
        await asyncio.sleep(0.2)  # it is killed while events are handed out, and events go on while it is away
        kill(web)
        await publishing
        web = await _start_web(settings, port)
        await hub.redis.flushdb()
        await _publish(hub, owner, subject, range(81, EVENTS + 1))
        async with asyncio.timeout(120):
            await following
    finally:
        following.cancel()
        kill(web)
        await client.aclose()

    assert [each.revisions for each in subscribers] == [list(range(1, EVENTS + 1))] * SUBSCRIBERS
    assert sum(each.missed for each in subscribers) == 0
    assert min(each.connections for each in subscribers) >= 2
