"""Subscriptions as somebody, over both ways that clients have: what comes first, and what comes until a certain event."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.api.streams import receive, socket, subscribe
from tests.security.callers import Caller
from tests.security.documents import document
from tests.security.fields import Field
from tests.security.matrix import Answer

SECONDS = 15
Stream = AsyncIterator[dict[str, Any]]


@asynccontextmanager
async def by_socket(server: str, caller: Caller, query: str, variables: dict[str, Any]) -> AsyncIterator[Stream]:
    """The answers, each as GraphQL has it: `data`, `errors`."""
    async with socket(server, None, **caller.headers) as opened:
        await subscribe(opened, query, variables)
        yield _payloads(lambda: receive(opened))


async def _payloads(next_message: Callable[[], Awaitable[dict[str, Any]]]) -> Stream:
    while (message := await next_message())["type"] != "complete":
        if message["type"] == "error":
            yield {"data": None, "errors": message["payload"]}
            return
        yield message["payload"]


@asynccontextmanager
async def by_events(server: str, caller: Caller, query: str, variables: dict[str, Any]) -> AsyncIterator[Stream]:
    headers = {**caller.headers, "Accept": "text/event-stream"}
    body = {"query": query, "variables": variables}
    async with (
        httpx.AsyncClient(base_url=f"http://{server}", timeout=SECONDS) as client,
        client.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield _events(response)


async def _events(response: httpx.Response) -> Stream:
    async for line in response.aiter_lines():
        if line.startswith("data:") and (data := line[5:].strip()):
            yield json.loads(data)


WAYS = {"WebSocket": by_socket, "events": by_events}


async def first(way: str, server: str, caller: Caller, each: Field, variables: dict[str, str]) -> Answer:
    """The first thing that a subscription says."""
    query = document(each.name, tuple(variables))
    async with asyncio.timeout(SECONDS), WAYS[way](server, caller, query, variables) as stream:
        return as_answer(await anext(stream), *variables.values())


def as_answer(payload: dict[str, Any], *sent: str) -> Answer:
    return Answer(200, json.dumps(payload), payload, sent)
