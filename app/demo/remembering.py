"""Lets a sandbox remember, when it is started again, what was changed in it.

Without a memory a restarted demo would meet a provider that has forgotten every decision it was told.
"""

from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

UNCHANGING = {"GET", "HEAD", "OPTIONS"}


class Remembering:
    """Writes `changes()` into a file after every request that may have changed something, if it did."""

    def __init__(self, app: ASGIApp, memory: Path, changes: Callable[[], bytes]) -> None:
        self.app = app
        self.memory = memory
        self.changes = changes
        self.written = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] not in UNCHANGING:
                self._write_down()

    def _write_down(self) -> None:
        changes = self.changes()
        if changes == self.written:
            return
        draft = self.memory.with_suffix(".draft")
        draft.write_bytes(changes)
        draft.rename(self.memory)
        self.written = changes
