"""The append-only audit log, chained by hashes per organization."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.audit import repository
from app.audit.chain import START, chain_hash, first_break, storable
from app.audit.models import AuditEntry, AuditVerdict, ChainedEntry
from app.database import before_commit
from app.paging import PageRequest, ResultPage

_BATCH = 1000


class AuditService:
    """Writes down who did what, and proves that nothing of it was touched."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    async def add(self, actor: Actor, event: str, subject_id: UUID | None, data: Any = None) -> None:
        """Write an entry with the caller's transaction; it is chained when that transaction is about to commit."""
        entry = _entry(actor, event, subject_id, storable({} if data is None else data), self.now())
        before_commit(actor.scope, self._chain, [entry])

    async def entries(self, actor: Actor, page: PageRequest, *, subject_id: UUID | None = None) -> ResultPage[AuditEntry]:
        """The newest entries first; those about one subject where `subject_id` is given."""
        actor.require(Permission.READ_AUDIT)
        found = await repository.entries(actor.scope, first=page.first, before=page.key(int), subject_id=subject_id)
        return ResultPage.cut(found, page.first, lambda entry: entry.sequence)

    async def verify(self, organization_id: UUID) -> AuditVerdict:
        """Walk the whole chain. Finds an entry that was changed, removed, added or moved, also at its end."""
        scope = Scope(organization_id)
        last_sequence, last_hash = await repository.head(scope)
        sequence, previous_hash = 0, START
        while batch := await repository.chain(scope, after=sequence, limit=_BATCH):
            broken = first_break(batch, previous_hash=previous_hash, next_sequence=sequence + 1)
            if broken is not None:
                return AuditVerdict(broken - 1, broken, f"Entry {broken} of the audit log was changed, removed or moved.")
            sequence, previous_hash = batch[-1].entry.sequence, batch[-1].hash
        return _ending(sequence, previous_hash, last_sequence, last_hash)

    async def _chain(self, scope: Scope, entries: Sequence[AuditEntry]) -> None:
        sequence, previous_hash = await repository.lock_head(scope)
        for number, unnumbered in enumerate(entries, sequence + 1):
            entry = replace(unnumbered, sequence=number)
            hash_ = chain_hash(previous_hash, entry)
            await repository.add(scope, ChainedEntry(entry, previous_hash, hash_))
            previous_hash = hash_


def _ending(sequence: int, hash_: bytes, last_sequence: int, last_hash: bytes) -> AuditVerdict:
    """Entries written while the chain was walked are no break; missing ones at its end are."""
    if sequence < last_sequence:
        return AuditVerdict(sequence, sequence + 1, f"Entry {sequence + 1} of the audit log is missing.")
    if sequence == last_sequence and hash_ != last_hash:
        return AuditVerdict(sequence, sequence, f"Entry {sequence} of the audit log is not the one that was written last.")
    return AuditVerdict(sequence)


def _entry(actor: Actor, event: str, subject_id: UUID | None, data: Any, happened_at: datetime) -> AuditEntry:
    return AuditEntry(
        sequence=0,  # numbered when it is chained
        client_id=actor.scope.client_id,
        happened_at=happened_at,
        actor=storable({"kind": actor.kind, "id": actor.id, "role": actor.role, "name": actor.name}),
        ip=storable(actor.ip),
        user_agent=storable(actor.user_agent),
        event=event,
        subject_id=subject_id,
        data=data,
    )
