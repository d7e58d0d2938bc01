"""Serves a sandbox by uvicorn, on a connection that faults can close."""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .delivery import CLOSE_CONNECTION

Ready = Callable[[str], None]


class Protocol(HttpToolsProtocol):
    """Lets the application close its connection, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CLOSE_CONNECTION: {"close": self.transport.close}}


class Server(uvicorn.Server):
    """Tells its address as soon as it listens."""

    def __init__(self, config: uvicorn.Config, url: str, ready: Ready | None) -> None:
        super().__init__(config)
        self._url, self._ready = url, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None and not self.should_exit:
            self._ready(self._url)


def prepare(host: str, port: int, app: ASGIApp, ready: Ready | None) -> tuple[Server, socket.socket]:
    """A server and the socket it will listen on; port 0 takes a free one. OSError when the port is taken."""
    listening = socket.create_server((host, port))
    address, actual_port = listening.getsockname()[:2]
    settings = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        # A client's idle connection is not closed under its next write, unless a fault asks for it.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    return Server(settings, f"http://{address}:{actual_port}", ready), listening


def run(host: str, port: int, app: ASGIApp, ready: Ready | None = None) -> None:
    """Serve until a signal ends it; `ready` is called with the URL as soon as it answers."""
    server, listening = prepare(host, port, app, ready)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
