"""What the audit log holds and what its verification says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that somebody made. `event` is subject.verb in the past tense: "quote.approved"."""

    sequence: int
    client_id: UUID | None
    happened_at: datetime
    actor: Mapping[str, Any]
    """kind, id, role and name of who did it, as they were then."""
    ip: str | None
    user_agent: str | None
    event: str
    subject_id: UUID | None
    data: Any


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry with its place in the hash chain."""

    entry: AuditEntry
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether an organization's log is whole: nothing changed, removed, added or put in another order."""

    entries: int
    """How many entries were found in order, from the first on."""
    broken_at: int | None = None
    """The sequence of the first entry that is not what it was."""
    message: str = "The audit log is complete and unchanged."

    @property
    def ok(self) -> bool:
        return self.broken_at is None
