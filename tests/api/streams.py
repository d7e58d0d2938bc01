"""The two ways to follow a subscription, as clients speak them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

PROTOCOL = "graphql-transport-ws"


@asynccontextmanager
async def socket(
    server: str, payload: dict[str, Any] | None, *, compression: str | None = "deflate", **headers: str
) -> AsyncIterator[ClientConnection]:
    """A WebSocket that has sent its first message and read the answer to it."""
    address = f"ws://{server}/graphql"
    async with connect(address, subprotocols=[PROTOCOL], additional_headers=headers, compression=compression) as opened:
        await opened.send(json.dumps({"type": "connection_init"} | ({} if payload is None else {"payload": payload})))
        assert json.loads(await opened.recv()) == {"type": "connection_ack"}
        yield opened


async def subscribe(opened: ClientConnection, query: str, variables: dict[str, Any], *, id: str = "1") -> None:
    await opened.send(json.dumps({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}}))


async def receive(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await opened.recv())
    return found


@asynccontextmanager
async def events(server: str, token: str, query: str, variables: dict[str, Any]) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """(event, data) of server-sent events."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(base_url=f"http://{server}", timeout=30) as client,
        client.stream("POST", "/graphql", json={"query": query, "variables": variables}, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")

        async def read() -> AsyncIterator[tuple[str, Any]]:
            event = ""
            async for line in response.aiter_lines():
                if line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("data:"):
                    yield event, json.loads(line[5:]) if line[5:].strip() else None

        yield read()
