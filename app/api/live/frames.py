"""Frames that many WebSockets share.

A text that goes to a thousand sockets is the same bytes on the wire for each of them (from a server, without compression),
so the frame is made once and written as it is. uvicorn offers no way to do that; this is its own protocol with one more
door, which app/api/live/websocket.py finds in the scope. Where the hub is served otherwise, texts go out one by one.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

DOOR = "crosswalk.frames"


class SharedFrames(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets with shared frames, and without patience for peers that read nothing."""

    linger_seconds = 10.0
    """How long a peer may take to read what was sent before the end; then its connection is dropped with what still waits."""

    async def run_asgi(self) -> None:
        self.scope["extensions"][DOOR] = self.write_frame  # type: ignore[assignment]  # any object will do
        await super().run_asgi()

    def write_frame(self, frame: bytes) -> bool:
        """False: nothing was written, because there is no room now, it is closing, or its frames are compressed."""
        if not self.writable.is_set() or self.conn.extensions or self.conn.state is not OPEN or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.loop.call_later(self.linger_seconds, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A peer that answers no ping does not take the rest either."""
        super().keepalive_timeout()
        self.loop.call_later(self.linger_seconds, self.transport.abort)


def text_frame(text: str) -> bytes:
    """A whole, unmasked text frame (RFC 6455, 5.2)."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data


def door_of(scope: Any) -> Any:
    """Writes a frame and says whether it did; None where the server has no such door."""
    return scope.get("extensions", {}).get(DOOR)
