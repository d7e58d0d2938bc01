"""The call log: every request to a provider, as operators see it. No secret and no body is in it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One request on the wire; a repeated request is several calls with rising `attempt`."""

    method: str
    url: str
    """Redacted, with its query."""
    status: int | None
    """None: no answer came."""
    attempt: int
    duration_ms: float
    waited_ms: float
    """How long the call was held back by the budget and by back-off before it was sent."""
    bytes_received: int
    error: str | None
    called_at: datetime


class CallLog(Protocol):
    """Where calls are written down."""

    async def add(self, call: ProviderCall) -> None: ...


@dataclass(slots=True)
class CallList:
    """A call log in memory, for the test of a connection that is not saved yet."""

    calls: list[ProviderCall] = field(default_factory=list)

    async def add(self, call: ProviderCall) -> None:
        self.calls.append(call)
