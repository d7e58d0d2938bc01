"""The provider's two request limits, counted per key: 180 a minute and 20,000 a day.

That a minute is the clock's, that a day begins at midnight UTC, and that refused requests are not counted is assumed: none of it
is documented.
"""

from datetime import datetime

A_MINUTE = 180
A_DAY = 20_000


class Limits:
    """Counts accepted requests by key in the running minute and day of the sandbox's clock."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[str, int]] = {}

    def exceeded(self, key: str, now: datetime, factor: float | None) -> str | None:
        """Count one request; "minute" or "day" when it is one too many (and then it is not counted)."""
        if factor is None:
            return None
        used = self.used(key, now)
        if used["day"] >= A_DAY * factor:
            return "day"
        if used["minute"] >= A_MINUTE * factor:
            return "minute"
        for window, moment in _windows(now).items():
            self._counts[key, window] = (moment, used[window] + 1)
        return None

    def used(self, key: str, now: datetime) -> dict[str, int]:
        """The requests counted in the running windows."""
        counts = {}
        for window, moment in _windows(now).items():
            counted_in, count = self._counts.get((key, window), ("", 0))
            counts[window] = count if counted_in == moment else 0
        return counts


def _windows(now: datetime) -> dict[str, str]:
    return {"minute": now.strftime("%Y-%m-%d %H:%M"), "day": now.strftime("%Y-%m-%d")}
