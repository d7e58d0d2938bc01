"""Decides what a push has to send of one record, and takes the delivery in hand, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from app.conflicts import repository as conflicts
from app.conflicts.models import DELETED
from app.connectors.base import RecordWrite
from app.database import transaction
from app.deliveries import record_store as deliveries
from app.deliveries.record_store import RecordDelivery
from app.mappings import links
from app.mappings.links import Link
from app.records import repository as records
from app.records.repository import Held
from app.syncs import attempts, failures
from app.syncs.attempts import Attempt
from app.syncs.sources import Source
from app.syncs.walks import lock_records_of

Data = dict[str, Any]


class Expected(Protocol):
    """What a stored plan says of a push. Each raises PlanOutdated when it is otherwise."""

    def shown(self, theirs: Data) -> None:
        """The provider's object, as it was read a moment ago."""
        ...

    def sent(self, write: RecordWrite) -> None:
        """What is about to be written."""
        ...


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be sent of one record, as it was decided."""

    delivery: RecordDelivery
    record_id: UUID
    link: Link | None
    version: int
    home: UUID | None
    """The connection that the record came from."""
    data: Data
    """As the provider is to show it: fields in conflict as it has them."""
    base: Data
    changed: frozenset[str]
    in_conflict: bool = False
    """Other fields wait for somebody's decision."""
    removed: bool = False
    unsettled: Sequence[Attempt] = ()
    """What earlier attempts have sent, the newest first; nobody knows whether they were carried out."""
    expected: Expected | None = None

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt may have been carried out."""
        return self.delivery.attempts > 1 or bool(self.unsettled)


async def decide(source: Source, record_id: UUID) -> Decided | None:
    """Decide what to send and take the delivery in hand, in one transaction. None: there is nothing to do now."""
    scope, stream = source.scope, source.stream.record_stream
    async with transaction(scope):
        await lock_records_of(scope, source.connection_id, stream)
        held = (await records.hold_many(scope, [record_id])).get(record_id)
        link = await links.link(scope, source.connection_id, stream, record_id)
        if held is None or (held.deleted and (link is None or held.merged_into)):
            await links.rest(scope, record_id)
            await _idle(source, record_id, link)
            return None
        if held.deleted:
            return await _decide_removal(source, record_id, held, link)
        base = await _base(source, record_id, held, link)
        opened = (await conflicts.open_fields(scope, source.connection_id, stream, [record_id])).get(record_id, set())
        data = source.translator.merge(held.data, base, opened) if opened else held.data
        sent = (await attempts.sent(source, {record_id: link.base_version if link else None})).get(record_id, ())
        changed = source.translator.pushed_changed(base, data)
        changed = changed.union(*(source.translator.pushed_changed(attempt.data, data) & attempt.fields for attempt in sent))
        if link is not None and not changed:
            await links.settle(scope, link.id, "conflict" if opened else "synced")
            await _idle(source, record_id, link)
            return None
        payload = {"version": held.version, "fields": sorted(changed), "external_id": link.external_id if link else None}
        payload |= {"base_version": link.base_version or None} if link else {}
        delivery = await _take(source, record_id, deliveries.WRITE, payload)
        if delivery is None:
            return None
        return Decided(delivery, record_id, link, held.version, held.connection_id, data, base, changed, bool(opened), unsettled=sent)


async def _decide_removal(source: Source, record_id: UUID, held: Held, link: Link | None) -> Decided | None:
    """The hub deleted the record: what becomes of the provider's object is the stream's policy, unless somebody is still asked."""
    assert link is not None
    where = (source.scope, source.connection_id, source.stream.record_stream)
    if DELETED in (await conflicts.open_fields(*where, [record_id])).get(record_id, set()):
        await links.settle(source.scope, link.id, "conflict")
        await _idle(source, record_id, link)
        return None
    policy = await conflicts.policy(*where)
    writer = source.stream.writer
    wanted = policy.hub_deletions == "propagate" or (policy.hub_deletions == "deactivate" and writer and writer.deletes == "deactivate")
    if link.status == "deleted" or not wanted or writer is None or writer.deletes is None:
        await links.settle(source.scope, link.id, "deleted" if link.status == "deleted" else "synced")
        await _idle(source, record_id, link)
        return None
    delivery = await _take(source, record_id, deliveries.REMOVE, {"version": held.version, "external_id": link.external_id})
    if delivery is None:
        return None
    base = await _base(source, record_id, held, link)
    return Decided(delivery, record_id, link, held.version, held.connection_id, held.data, base, frozenset(), removed=True)


async def _take(source: Source, record_id: UUID, action: str, payload: Mapping[str, Any]) -> RecordDelivery | None:
    return await deliveries.open_for(
        source.scope,
        connection_id=source.connection_id,
        provider=source.provider,
        stream=source.stream.record_stream,
        record_id=record_id,
        action=action,
        payload=payload,
        run_id=source.run_id,
    )


async def _idle(source: Source, record_id: UUID, link: Link | None) -> None:
    """There is nothing to bring (any more): what could not be brought before is forgotten."""
    stream = source.stream.record_stream
    await deliveries.close_idle(source.scope, connection_id=source.connection_id, stream=stream, record_id=record_id)
    if await heal(source, record_id, link.external_id if link else None) and link:
        await links.recover(source.scope, link.id)


async def heal(source: Source, record_id: UUID, external_id: str | None) -> bool:
    """Close the failed record of an earlier push. Whether there was one."""
    keys = [key for key in (external_id, f"record:{record_id}") if key]
    return await failures.heal_pushed(source.scope, source.connection_id, source.stream.record_stream, keys) > 0


async def _base(source: Source, record_id: UUID, held: Held, link: Link | None) -> Data:
    """What the provider was last seen to have, in the record's shape; nothing where it has nothing yet."""
    if link is None or not link.base_version:
        return {}
    if link.base_version == held.version:
        return held.data
    return (await records.at_versions(source.scope, {record_id: link.base_version})).get(record_id, {})
