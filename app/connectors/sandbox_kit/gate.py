"""Holds answers to writes back until they are released, so that a test can kill the writer in between."""

import asyncio
from fnmatch import fnmatchcase


class Gate:
    """Open unless a test closes it. `held` counts the requests that wait at it now."""

    def __init__(self) -> None:
        self.held = 0
        self._way = asyncio.Event()
        self.open()

    @property
    def closed(self) -> bool:
        return not self._way.is_set()

    def close(self, *, before_work: bool = False, path: str = "*") -> None:
        """Hold writes whose path fits the pattern: after their work is done, or before it begins."""
        self.before_work, self.path = before_work, path
        self._way.clear()

    def open(self) -> None:
        """Let everything through, also what waits."""
        self.before_work, self.path = False, "*"
        self._way.set()

    async def let_write_pass(self, path: str, *, before_work: bool) -> None:
        """Return at once, or when the gate opens if this write is one to hold now."""
        if not self.closed or before_work is not self.before_work or not fnmatchcase(path.lower(), self.path.lower()):
            return
        self.held += 1
        try:
            await self._way.wait()
        finally:
            self.held -= 1

    def status(self) -> dict[str, object]:
        return {"closed": self.closed, "held": self.held, "before_work": self.before_work, "path": self.path}
