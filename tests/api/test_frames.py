"""Frames that sockets share arrive as any other, and a peer that reads nothing is dropped."""

import asyncio
import socket
from contextlib import suppress

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from app.api.live.frames import SharedFrames, door_of, text_frame
from tests.api.conftest import serving

SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Impatient(SharedFrames):
    linger_seconds = 0.3


async def _all_sizes(websocket: WebSocket) -> None:
    """Writes each size by the door, or says that it could not."""
    await websocket.accept()
    write = door_of(websocket.scope)
    for size in SIZES:
        if not write(text_frame("é" * (size // 2) + "x" * (size % 2))):
            await websocket.send_text("no")
    await websocket.receive()


async def test_a_shared_frame_of_any_size_arrives_as_text():
    app = Starlette(routes=[WebSocketRoute("/", _all_sizes)])
    async with serving(app) as address, connect(f"ws://{address}/", compression=None, max_size=None) as opened:
        texts = [await opened.recv() for _ in SIZES]

    assert [len(text.encode()) for text in texts] == list(SIZES)
    assert all(isinstance(text, str) for text in texts)


async def test_a_socket_that_compresses_gets_none():
    app = Starlette(routes=[WebSocketRoute("/", _all_sizes)])
    async with serving(app) as address, connect(f"ws://{address}/") as opened:
        assert [await opened.recv() for _ in SIZES] == ["no"] * len(SIZES)


async def test_a_peer_that_reads_nothing_is_dropped_with_what_waits_for_it():
    written = 0

    async def write_while_there_is_room(websocket: WebSocket) -> None:
        nonlocal written
        await websocket.accept()
        frame = text_frame("x" * 60_000)
        while door_of(websocket.scope)(frame):
            written += len(frame)
            await asyncio.sleep(0)

    app = Starlette(routes=[WebSocketRoute("/", write_while_there_is_room)])
    async with serving(app, Impatient) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port))) as peer:
            peer.sendall(HANDSHAKE)
            await asyncio.sleep(2)  # longer than the server lingers
            received = await asyncio.to_thread(_rest_of, peer)

    assert 0 < received < written


def _rest_of(peer: socket.socket) -> int:
    """How much still comes."""
    peer.settimeout(10)
    received = 0
    with suppress(ConnectionResetError):
        while data := peer.recv(1_000_000):
            received += len(data)
    return received
