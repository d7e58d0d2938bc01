"""What the sandbox has seen: every write with its effect, the latest requests, and counts by path.

The ledger is how a test proves that a write took effect once, whatever was killed or repeated on the way.
"""

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

from .changes import Effect

LATEST_REQUESTS = 10_000


@dataclass(slots=True)
class Write:
    """One write request. `effect` is NONE for refused ones; `answered` is true once its answer left to a client
    still there. Status 0: the connection was closed before the work."""

    number: int
    at: str
    account: str
    api_key: str
    method: str
    path: str
    object: str
    uuid: str
    effect: Effect = Effect.NONE
    status: int = 0
    fields: tuple[str, ...] = ()
    answered: bool = False


@dataclass(slots=True)
class Seen:
    """One request as it came; `fault` names what was done to it on demand."""

    method: str
    path: str
    query: str
    account: str
    status: int
    milliseconds: float
    faults: tuple[str, ...] = ()


@dataclass
class Ledger:
    """The writes in order, the latest requests, and how many of each kind there were."""

    writes: list[Write] = field(default_factory=list)
    requests: deque[Seen] = field(default_factory=lambda: deque(maxlen=LATEST_REQUESTS))
    by_path: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        for kept in (self.writes, self.requests, self.by_path, self.by_status):
            kept.clear()

    def saw(self, request: Seen, counted_as: str) -> None:
        """Keep a request; `counted_as` is its method and path with the record's id left out."""
        self.requests.append(request)
        self.by_path[counted_as] += 1
        self.by_status[str(request.status)] += 1

    def entries(self, **wanted: str) -> list[dict[str, Any]]:
        """The writes whose fields have the wanted texts."""
        return [asdict(one) for one in self.writes if all(str(getattr(one, name)) == value for name, value in wanted.items())]
