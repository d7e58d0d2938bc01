"""A sandbox's own clock: it can be set, shifted, stopped and sped up, so that tests reach DST changes and next days."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the sandbox's time. `scale` is sandbox seconds per real second; 0 stops the clock."""

    def __init__(self, *, now: datetime | None = None, scale: float = 1.0, offset_seconds: float = 0.0) -> None:
        self.set(now=now, scale=scale, offset_seconds=offset_seconds)

    def set(self, *, now: datetime | None = None, scale: float = 1.0, offset_seconds: float = 0.0) -> None:
        """Start again from `now` (or from real time); a moment without an offset is UTC."""
        start = now or datetime.now(UTC)
        if start.tzinfo is None:
            start = start.replace(tzinfo=UTC)
        self.scale = scale
        self._start = start.astimezone(UTC) + timedelta(seconds=offset_seconds)
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The sandbox's moment in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self.scale)

    def real_seconds(self, seconds: float) -> float:
        """How long so many sandbox seconds last outside; nothing while the clock stands still."""
        return seconds / self.scale if self.scale > 0 else 0.0
