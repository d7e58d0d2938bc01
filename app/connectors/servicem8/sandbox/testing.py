"""Starts a sandbox for a test and speaks to its control routes.

In a test:

    async with running_sandbox(SandboxConfig(page_size=2)) as sandbox:
        connection = {"base_url": sandbox.url, "api_key": sandbox.api_key}
        await sandbox.fault("503", method="POST", times=2)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from app.connectors.sandbox_kit.running import ControlRefused, Stop, start_process, start_thread
from app.connectors.sandbox_kit.running import RunningSandbox as AnyRunningSandbox

from .app import create_app
from .config import SandboxConfig

__all__ = ["ControlRefused", "RunningSandbox", "running_sandbox", "start_sandbox"]


class RunningSandbox(AnyRunningSandbox):
    """A ServiceM8 that listens at `url`. A write in its ledger has object, uuid, effect (created, updated, deleted,
    restored, none), status, at, api_key and more."""

    control_path = "/_control"

    def __init__(self, url: str, config: SandboxConfig, stop: Stop) -> None:
        super().__init__(url, stop)
        self.api_url = f"{url}/api_1.0"
        self.config = config

    @property
    def api_key(self) -> str:
        """The first key of the first account."""
        return self.config.accounts[0].api_keys[0]

    @property
    def api_keys(self) -> tuple[str, ...]:
        """The first key of each account."""
        return tuple(account.api_keys[0] for account in self.config.accounts)

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
    url, stop = start_thread(create_app(config)) if in_thread else start_process(str(__package__), config)
    return RunningSandbox(url, config, stop)
