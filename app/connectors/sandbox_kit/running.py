"""Starts a sandbox for a test, in a process or a thread of its own, and speaks to its control routes."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import orjson
from starlette.types import ASGIApp

from .server import prepare

SECONDS_TO_START = 30
SECONDS_TO_ANSWER = 60
SECONDS_BETWEEN_LOOKS = 0.02

Stop = Callable[[], None]


class ControlRefused(Exception):
    """The sandbox's control routes refused a request; the text says why."""


class RunningSandbox:
    """A sandbox that listens at `url`. Every helper is a request to its control routes."""

    control_path: str

    def __init__(self, url: str, stop: Stop) -> None:
        self.url = url
        self._stop = stop

    def stop(self) -> None:
        """End the server at once, as an outage; twice does no harm."""
        self._stop()

    async def control(self, method: str, route: str, body: object = None, /, **query: str) -> Any:
        """One control request: `route` as after the control path. The JSON answer; ControlRefused for any error."""
        target = f"{self.control_path}/{quote(route)}" + (f"?{urlencode(query)}" if query else "")
        return await asyncio.to_thread(_exchange, self.url, method, target, body)

    async def fault(self, kind: str, **options: Any) -> None:
        """Order a fault; the options are those of `POST …/faults` (method, path, times, skip, probability, …)."""
        await self.control("POST", "faults", {"kind": kind, **options})

    async def clear_faults(self) -> None:
        await self.control("DELETE", "faults")

    async def ledger(self, **wanted: str) -> list[dict[str, Any]]:
        """The writes so far with their effects, narrowed by the texts of their fields."""
        return list((await self.control("GET", "ledger", **wanted))["writes"])

    async def clear_ledger(self) -> None:
        await self.control("DELETE", "ledger")

    async def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The latest requests whose path contains `path`: method, path, status, milliseconds, faults."""
        return list((await self.control("GET", "requests", path=path))["requests"])

    async def counters(self) -> dict[str, Any]:
        return dict(await self.control("GET", "counters"))

    async def settings(self, **changes: Any) -> dict[str, Any]:
        return dict(await self.control("POST", "settings", changes))

    async def set_clock(self, now: str | None = None, *, scale: float = 1.0, offset_seconds: float = 0.0) -> dict[str, Any]:
        """Set the clock to an ISO moment (real time without one); `scale` 0 stops it."""
        return dict(await self.control("POST", "clock", {"now": now, "scale": scale, "offset_seconds": offset_seconds}))

    async def hold_writes(self, *, before_work: bool = False, path: str = "*") -> None:
        """Hold the answers of writes (or the writes themselves) until `release_writes`."""
        await self.control("POST", "gate", {"closed": True, "before_work": before_work, "path": path})

    async def release_writes(self) -> None:
        await self.control("POST", "gate", {"closed": False})

    async def wait_until_held(self, count: int = 1, *, seconds: float = 30) -> None:
        """Return as soon as that many writes are held; TimeoutError if they do not come."""
        for _ in range(int(seconds / SECONDS_BETWEEN_LOOKS)):
            if (await self.control("GET", "gate"))["held"] >= count:
                return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        raise TimeoutError(f"No {count} writes were held within {seconds} s.")

    async def reset(self) -> None:
        """Back to how it started, records included."""
        await self.control("POST", "reset")


def start_process(package: str, config: msgspec.Struct) -> tuple[str, Stop]:
    """The URL of a sandbox in a process of its own, and how to end it; the process ends with this one."""
    command = [sys.executable, "-m", package, "--config-on-stdin", "--port", "0"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(config) + b"\n")
    process.stdin.flush()
    ready = process.stdout.readline().decode().strip()

    def stop() -> None:
        process.kill()
        process.communicate()

    if not ready:
        stop()
        raise RuntimeError("The sandbox did not start; what it wrote to its error output says why.")
    return ready.rpartition(" ")[2], stop


def start_thread(app: ASGIApp) -> tuple[str, Stop]:
    """The URL of a sandbox in a thread of this process, and how to end it."""
    urls: list[str] = []
    listening = threading.Event()

    def ready(url: str) -> None:
        urls.append(url)
        listening.set()

    server, socket = prepare("127.0.0.1", 0, app, ready)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    if not listening.wait(SECONDS_TO_START):
        raise RuntimeError("The sandbox did not start.")

    def stop() -> None:
        server.should_exit = True
        thread.join()
        socket.close()

    return urls[0], stop


def _exchange(url: str, method: str, target: str, body: object) -> Any:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=SECONDS_TO_ANSWER)
    try:
        connection.request(method, target, None if body is None else orjson.dumps(body))
        response = connection.getresponse()
        content = orjson.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise ControlRefused(content["error"])
    return content
