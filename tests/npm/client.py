"""A GraphQL client of npm in a process of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE = 20
"""Seconds until an answer or an event is missing for good."""


class NpmClient:
    """Drives session.mjs, which drives one client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, text: str, variables: dict[str, Any]) -> Any:
        """The data of a query or mutation. Any error is the test's failure."""
        self.tell({"run": text, "variables": variables})
        result = (await self._hear())["result"]
        assert "errors" not in result, result["errors"]
        assert result.get("error") is None, result["error"]
        return result["data"]

    def follow(self, text: str, variables: dict[str, Any]) -> None:
        """Subscribe, and stay subscribed across broken connections."""
        self.tell({"follow": text, "variables": variables})

    async def event(self) -> Any:
        """The next event of what is followed."""
        return (await self._hear())["event"]

    def tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert line, "The client ended; its own words are on standard error."
        heard: dict[str, Any] = json.loads(line)
        return heard


@asynccontextmanager
async def npm_client(name: str, url: str, token: str) -> AsyncIterator[NpmClient]:
    """The client of `<name>.mjs`, connected to the endpoint at this address."""
    process = await asyncio.create_subprocess_exec(
        "node", HERE / "session.mjs", name, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1_000_000
    )
    client = NpmClient(process)
    client.tell({"url": url, "token": token})
    try:
        yield client
    finally:
        process.kill()
        await process.wait()
