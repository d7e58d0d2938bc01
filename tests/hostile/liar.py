"""A provider that lies: the sandbox's real answers, changed on their way back."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from app.bootstrap import Hub

Lie = Callable[[httpx.Request, httpx.Response], httpx.Response | None]
"""Another answer for this request, or None to leave it as it is."""


@dataclass(eq=False)
class LyingTransport(httpx.AsyncBaseTransport):
    """Sends requests on and changes the answers; a lie that raises is a lie at the socket."""

    honest: httpx.AsyncBaseTransport
    lies: list[Lie] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The requests that were sent, as METHOD URL."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url}")
        answer = await self.honest.handle_async_request(request)
        answer.request = request
        await answer.aread()
        for lie in self.lies:
            answer = lie(request, answer) or answer
        return answer


@contextmanager
def lying(hub: Hub, *lies: Lie) -> Iterator[LyingTransport]:
    """Every provider of this hub lies meanwhile."""
    honest = hub.connections.sessions
    transport = LyingTransport(honest.transport, list(lies))
    hub.connections.sessions = replace(honest, transport=transport)
    try:
        yield transport
    finally:
        hub.connections.sessions = honest


def says(path: str, body: bytes, *, status: int = 200, method: str = "GET", times: int | None = None, **headers: str) -> Lie:
    """This answer instead of the real one, for as many requests as are said."""
    left = [times]

    def lie(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        if request.method != method or not request.url.path.endswith(path) or left[0] == 0:
            return None
        left[0] = left[0] and left[0] - 1
        return httpx.Response(status, headers={"date": answer.headers["date"]} | headers, content=body)

    return lie


def edits(path: str, change: Callable[[list[dict[str, Any]]], list[Any]], **headers: str) -> Lie:
    """A list's page, changed."""

    def lie(request: httpx.Request, answer: httpx.Response) -> httpx.Response | None:
        if request.method != "GET" or not request.url.path.endswith(path) or answer.status_code != 200:
            return None
        kept = {name: value for name, value in answer.headers.items() if name in ("date", "x-next-cursor")}
        return httpx.Response(200, headers=kept | headers, content=json.dumps(change(answer.json())).encode())

    return lie


def each(**values: Any) -> Callable[[list[dict[str, Any]]], list[Any]]:
    """Every object of a page with these values."""
    return lambda objects: [found | values for found in objects]


def only(uuid: str, /, **values: Any) -> Callable[[list[dict[str, Any]]], list[Any]]:
    """The object with that uuid, with these values."""
    return lambda objects: [found | values if found["uuid"] == uuid else found for found in objects]
