"""Many WebSocket clients in one process, as light as possible: they count frames and note when each event came.

Run by benchmarks/streams.py. Reads one JSON command a line: `connect`, `reset`, `wait`, `report`; answers each with one line.
"""

import asyncio
import base64
import json
import os
import sys
import time
from typing import Any, cast

import uvloop

_REVISION = b'"revision":'


class Listener(asyncio.Protocol):
    """One client. Frames from a server are not masked; only text frames are looked into."""

    def __init__(self, crowd: "Crowd", path: str, greetings: list[str]) -> None:
        self.crowd = crowd
        self.path = path
        self.greetings = greetings
        self.buffer = b""
        self.shaken = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data if self.buffer else data
        if not self.shaken:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self.buffer = head
                return
            assert b" 101 " in head, head
            self.shaken = True
            for text in self.greetings:
                self.transport.write(_frame(text))
        self.buffer = self._read(data)

    def _read(self, data: bytes) -> bytes:
        """Take whole frames; returns what is left."""
        place, end, now = 0, len(data), time.monotonic_ns()
        while end - place >= 2:
            size, start = data[place + 1], place + 2
            if size == 126:
                size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            elif size == 127:
                size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
            if start + size > end:
                break
            if data[place] & 15 == 1:
                self.crowd.take(data, start, start + size, now)
            elif data[place] & 15 == 9:
                self.transport.write(_frame(data[start : start + size], 0x8A))
            place = start + size
        return data[place:]

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.lost += 1


def _frame(payload: str | bytes, kind: int = 0x81) -> bytes:
    """A client's frame; its mask is zero, which leaves the bytes as they are."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return bytes([kind]) + size + b"\0\0\0\0" + data


class Crowd:
    """All clients of the process and what they heard since the last reset."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.lost = 0
        self.reset()

    def reset(self) -> None:
        self.messages = self.bytes = self.first = self.last = self.missed = 0
        self.heard: dict[int, list[int]] = {}

    def take(self, data: bytes, start: int, end: int, now: int) -> None:
        at = data.find(_REVISION, start, end)
        if at < 0:
            return
        at += len(_REVISION)
        revision = int(data[at : at + 20].split(b",", 1)[0].split(b"}", 1)[0])
        self.messages += 1
        self.bytes += end - start
        self.first = self.first or now
        self.last = now
        self.missed += data.find(b'"missed":true', start, end) >= 0
        self.heard.setdefault(revision, []).append(now)

    async def connect(self, host: str, port: int, path: str, count: int, greetings: list[str]) -> None:
        loop = asyncio.get_running_loop()
        for number in range(count):
            _, listener = await loop.create_connection(lambda: Listener(self, path, greetings), host, port)
            self.listeners.append(listener)
            if number % 50 == 49:
                await asyncio.sleep(0.05)

    async def wait(self, messages: int, seconds: float, idle: float) -> None:
        """Until so many messages came, or nothing came for `idle` seconds."""
        deadline = time.monotonic() + seconds
        while self.messages < messages and time.monotonic() < deadline:
            if self.last and (time.monotonic_ns() - self.last) / 1e9 > idle:
                return
            await asyncio.sleep(0.02)

    def report(self, commits: dict[str, int]) -> dict[str, Any]:
        delays = sorted(
            (heard - commits[str(revision)]) / 1e6 for revision, times in self.heard.items() if str(revision) in commits for heard in times
        )
        return {
            "messages": self.messages,
            "bytes": self.bytes,
            "seconds": (self.last - self.first) / 1e9,
            "lost": self.lost,
            "missed": self.missed,
            "delays_ms": {share: delays[int(len(delays) * share / 100)] for share in (50, 90, 99)} if delays else {},
            "slowest_ms": delays[-1] if delays else None,
        }


async def main() -> None:
    crowd, loop = Crowd(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        name, answer = command.pop("do"), {}
        if name == "connect":
            await crowd.connect(**command)
        elif name == "reset":
            crowd.reset()
        elif name == "wait":
            await crowd.wait(**command)
        else:
            answer = crowd.report(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
