"""What the sandbox has seen: every write with its effects, the latest requests, and counts.

The ledger is how a test proves that a write took effect once, whatever was killed or repeated on the way.
"""

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

from .table import Change
from .wire import Values

LATEST_REQUESTS = 10_000


@dataclass(slots=True)
class Effect:
    """One record that a write created, changed or deleted; `object` is partner, product or the document's type."""

    effect: str
    object: str
    mk_id: str
    fields: list[str]


@dataclass(slots=True)
class Write:
    """One write request, with what it sent but the key. Without `effects` it changed nothing.

    `answered` is true once its answer left to a client still there. Status 0: the connection was closed before the work.
    """

    number: int
    at: str
    company_id: str
    operation: str
    doc_type: str
    sent: Values
    effects: list[Effect] = field(default_factory=list)
    opr_code: str = ""
    status: int = 0
    answered: bool = False

    def has(self, name: str, value: str) -> bool:
        """Whether the write, or one of its effects, has this text there."""
        if name in ("effect", "object", "mk_id"):
            return any(getattr(one, name) == value for one in self.effects)
        return str(getattr(self, name)) == value


NARROWING = ("company_id", "operation", "doc_type", "opr_code", "effect", "object", "mk_id")


@dataclass(slots=True)
class Seen:
    """One request as it came; `faults` names what was done to it on demand, `refused` the limit that it met."""

    method: str
    path: str
    doc_type: str
    company_id: str
    status: int
    opr_code: str
    milliseconds: float
    faults: tuple[str, ...] = ()
    refused: str = ""


@dataclass
class Ledger:
    """The writes in order, the latest requests, and how many of each kind there were."""

    writes: list[Write] = field(default_factory=list)
    requests: deque[Seen] = field(default_factory=lambda: deque(maxlen=LATEST_REQUESTS))
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.writes.clear()
        self.requests.clear()
        self.counts = {name: Counter() for name in ("by_path", "by_opr_code", "by_status", "refused", "effects")}

    def saw(self, request: Seen) -> None:
        self.requests.append(request)
        self.counts["by_path"][request.path] += 1
        self.counts["by_status"][str(request.status)] += 1
        self.counts["by_opr_code"][request.opr_code or "none"] += 1
        if request.refused:
            self.counts["refused"][request.refused] += 1

    def add_effects(self, write: Write, changes: list[Change]) -> None:
        """Note what a write did."""
        for change in changes:
            write.effects.append(Effect(change.effect, change.table.name, str(change.mk_id), change.changed_fields()))
            self.counts["effects"][f"{change.table.name} {change.effect}"] += 1

    def entries(self, wanted: dict[str, str]) -> list[dict[str, Any]]:
        """The writes that have the wanted texts."""
        return [asdict(one) for one in self.writes if all(one.has(name, value) for name, value in wanted.items())]
