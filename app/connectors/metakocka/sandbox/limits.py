"""The limits that can be switched on: calls a minute and a second of the sandbox's clock, and calls at the same time.

How the provider counts is not published: that windows are the clock's and refused calls do not count is assumed.
"""

from collections import Counter

from app.connectors.sandbox_kit.clock import Clock

from .config import SandboxConfig


class Limits:
    """Counts the calls of each company."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], tuple[str, int]] = {}
        self.at_once: Counter[str] = Counter()
        self.most_at_once: Counter[str] = Counter()

    def exceeded(self, company_id: str, config: SandboxConfig) -> str:
        """Count one call; the name of the limit that it is too much for, and then it is not counted."""
        allowed = {"quota": config.quota_per_minute, "second": config.requests_per_second}
        used = self.used(company_id)
        for name, most in allowed.items():
            if most is not None and used[name] >= most:
                return name
        if config.concurrent_calls is not None and self.at_once[company_id] >= config.concurrent_calls:
            return "concurrent"
        for name, window in self._windows().items():
            self._counts[company_id, name] = (window, used[name] + 1)
        return ""

    def used(self, company_id: str) -> dict[str, int]:
        """The calls counted in the running windows."""
        counts = {}
        for name, window in self._windows().items():
            counted_in, count = self._counts.get((company_id, name), ("", 0))
            counts[name] = count if counted_in == window else 0
        return counts

    def enter(self, company_id: str) -> None:
        self.at_once[company_id] += 1
        self.most_at_once[company_id] = max(self.most_at_once[company_id], self.at_once[company_id])

    def leave(self, company_id: str) -> None:
        self.at_once[company_id] -= 1

    def _windows(self) -> dict[str, str]:
        now = self._clock.now()
        return {"quota": now.strftime("%Y-%m-%d %H:%M"), "second": now.strftime("%Y-%m-%d %H:%M:%S")}
