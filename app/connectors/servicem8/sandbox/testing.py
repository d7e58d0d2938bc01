"""Starts a sandbox for a test and speaks to its control routes.

In a test:

    async with running_sandbox(SandboxConfig(page_size=2)) as sandbox:
        connection = {"base_url": sandbox.url, "api_key": sandbox.api_key}
        await sandbox.fault("503", method="POST", times=2)
"""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import orjson

from .config import SandboxConfig
from .server import prepare

SECONDS_TO_START = 30
SECONDS_TO_ANSWER = 60
SECONDS_BETWEEN_LOOKS = 0.02


class ControlRefused(Exception):
    """The sandbox's control routes refused a request; the text says why."""


class RunningSandbox:
    """A sandbox that listens at `url`. Every helper is a request to its control routes."""

    def __init__(self, url: str, config: SandboxConfig, stop: Callable[[], None]) -> None:
        self.url = url
        self.api_url = f"{url}/api_1.0"
        self.config = config
        self._stop = stop

    @property
    def api_key(self) -> str:
        """The first key of the first account."""
        return self.config.accounts[0].api_keys[0]

    @property
    def api_keys(self) -> tuple[str, ...]:
        """The first key of each account."""
        return tuple(account.api_keys[0] for account in self.config.accounts)

    def stop(self) -> None:
        """End the server at once, as an outage; twice does no harm."""
        self._stop()

    async def control(self, method: str, route: str, body: object = None, /, **query: str) -> Any:
        """One control request: `route` as after `/_control/`. The JSON answer; ControlRefused for any error."""
        target = f"/_control/{quote(route)}" + (f"?{urlencode(query)}" if query else "")
        return await asyncio.to_thread(_exchange, self.url, method, target, body)

    async def fault(self, kind: str, **options: Any) -> None:
        """Order a fault; the options are those of `POST /_control/faults` (method, path, times, skip, probability, …)."""
        await self.control("POST", "faults", {"kind": kind, **options})

    async def clear_faults(self) -> None:
        await self.control("DELETE", "faults")

    async def ledger(self, **wanted: str) -> list[dict[str, Any]]:
        """The writes so far: object, uuid, effect (created, updated, deleted, restored, none), status, at, api_key, …"""
        return list((await self.control("GET", "ledger", **wanted))["writes"])

    async def clear_ledger(self) -> None:
        await self.control("DELETE", "ledger")

    async def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The latest requests whose path contains `path`: method, path, query, status, milliseconds, faults."""
        return list((await self.control("GET", "requests", path=path))["requests"])

    async def counters(self) -> dict[str, Any]:
        return dict(await self.control("GET", "counters"))

    async def create(self, object: str, /, *, api_key: str = "", **values: Any) -> dict[str, Any]:
        """Make a record as staff would, unchecked, in the account of that key or the first; the whole record."""
        return dict(await self.control("POST", f"records/{object}", values, **({"api_key": api_key} if api_key else {})))

    async def records(self, object: str, /, **wanted: str) -> list[dict[str, Any]]:
        """All records of a type, deleted ones too; `api_key` chooses the account, other names are fields."""
        return list(await self.control("GET", f"records/{object}", **wanted))

    async def record(self, object: str, uuid: str) -> dict[str, Any]:
        return dict(await self.control("GET", f"records/{object}/{uuid}"))

    async def edit(self, object: str, uuid: str, /, **values: Any) -> dict[str, Any]:
        """Edit a record as staff would, unchecked: its edit time moves."""
        return dict(await self.control("POST", f"records/{object}/{uuid}", values))

    async def delete(self, object: str, uuid: str) -> dict[str, Any]:
        return dict(await self.control("DELETE", f"records/{object}/{uuid}"))

    async def add_line(self, job_uuid: str, **line: Any) -> dict[str, Any]:
        """Add a line to a job: name, quantity, price (as shown), tax_inclusive, tax_rate_uuid."""
        return dict(await self.control("POST", f"jobs/{job_uuid}/lines", line))

    async def remove_line(self, job_uuid: str, uuid: str) -> None:
        await self.control("DELETE", f"jobs/{job_uuid}/lines/{uuid}")

    async def seed(self, kind: str, count: int = 1000) -> dict[str, Any]:
        """Add records: "demo", "companies" or "jobs"; what was made, and for the demo what of it is `broken`."""
        return dict(await self.control("POST", "seed", {"kind": kind, "count": count}))

    async def seeded(self) -> list[dict[str, Any]]:
        """What each seed since the start made, as `seed` answers it."""
        return list((await self.control("GET", "seed"))["seeded"])

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


@asynccontextmanager
async def running_sandbox(config: SandboxConfig | None = None, *, in_thread: bool = False) -> AsyncIterator[RunningSandbox]:
    """A sandbox on a free port with its control routes on; in a process of its own unless `in_thread`."""
    sandbox = await asyncio.to_thread(start_sandbox, config, in_thread=in_thread)
    try:
        yield sandbox
    finally:
        await asyncio.to_thread(sandbox.stop)


def start_sandbox(config: SandboxConfig | None = None, *, in_thread: bool = False) -> RunningSandbox:
    """The same for callers without an event loop; end it with `stop()`."""
    config = msgspec.structs.replace(config or SandboxConfig(), control=True)
    return _start_in_thread(config) if in_thread else _start_in_process(config)


def _start_in_process(config: SandboxConfig) -> RunningSandbox:
    command = [sys.executable, "-m", f"{__package__}", "--config-on-stdin", "--port", "0"]
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
    return RunningSandbox(ready.rpartition(" ")[2], config, stop)


def _start_in_thread(config: SandboxConfig) -> RunningSandbox:
    urls: list[str] = []
    listening = threading.Event()

    def ready(url: str) -> None:
        urls.append(url)
        listening.set()

    server, socket = prepare("127.0.0.1", 0, config, ready)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    if not listening.wait(SECONDS_TO_START):
        raise RuntimeError("The sandbox did not start.")

    def stop() -> None:
        server.should_exit = True
        thread.join()
        socket.close()

    return RunningSandbox(urls[0], config, stop)


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
