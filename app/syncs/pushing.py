"""Brings one record to a provider, with its effect once, whatever happens on the way.

The write is a delivery: taken in hand in the transaction that decided what to send, ended in the one that stores what the provider
shows afterwards. The object is read immediately before it is written. When it is not what the hub last saw, it is merged first, so
that nothing that somebody changed there is overwritten unseen.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import msgspec

from app.conflicts import repository as conflicts
from app.conflicts.models import FoundConflict
from app.connectors.base import Page, Reading, RecordWrite, Session, Writer
from app.connectors.errors import ConnectorError, ObjectMissing, ProviderUnavailable, RateLimited, RequestRejected
from app.database import transaction
from app.deliveries import record_store as deliveries
from app.deliveries.record_store import RecordDelivery
from app.errors import FixBy, HubError, LeaseLost
from app.mappings import repository as mappings
from app.mappings.repository import Link
from app.mappings.translate import RecordInvalid
from app.records import repository as records
from app.records.repository import Held
from app.syncs import failures
from app.syncs.failures import Failure
from app.syncs.pages import UNUSABLE, PageWriter
from app.syncs.plan_models import PlanOutdated
from app.syncs.sources import Source
from app.syncs.walks import lock_records_of

ROUNDS = 3
"""How often an object that changes while it is written is merged and tried again, before its turn comes later."""
Data = dict[str, Any]


class PushOutcome(StrEnum):
    """What became of a record."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    """There was nothing to bring, or it waits for somebody's decision, or somebody else is bringing it."""
    FAILED = "failed"


class NotTaken(RequestRejected):
    """The provider does not have this object any more, so nothing can be written to it."""

    code = "object_missing"


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
    expected: Expected | None = None


class RecordPusher:
    """Pushes records of any stream that has a writer."""

    def __init__(self, pages: PageWriter) -> None:
        self.pages = pages

    async def push(self, source: Source, session: Session, record_id: UUID, expected: Expected | None = None) -> PushOutcome:
        """Bring a record to the provider, where a plan is given as it says.

        Raises ConnectorError when time will heal it; the delivery then waits. Raises PlanOutdated.
        """
        outcome = PushOutcome.UNCHANGED
        for _ in range(ROUNDS):
            plan = await self.decide(source, record_id)
            if plan is None:
                return outcome
            done = await self._carry_out(source, session, replace(plan, expected=expected))
            if done is not None:
                return done
        return outcome

    async def decide(self, source: Source, record_id: UUID) -> Decided | None:
        """Decide what to send and take the delivery in hand, in one transaction. None: there is nothing to do now."""
        scope, stream = source.scope, source.stream.record_stream
        async with transaction(scope):
            await lock_records_of(scope, source.connection_id, stream)
            held = (await records.hold_many(scope, [record_id])).get(record_id)
            link = await mappings.link(scope, source.connection_id, stream, record_id)
            if held is None or (held.deleted and (link is None or held.merged_into)):
                await mappings.rest(scope, record_id)
                await _idle(source, record_id, link)
                return None
            if held.deleted:
                return await self._plan_removal(source, record_id, held, link)
            base = await _base(source, record_id, held, link)
            opened = (await conflicts.open_fields(scope, source.connection_id, stream, [record_id])).get(record_id, set())
            data = source.translator.merge(held.data, base, opened) if opened else held.data
            changed = source.translator.pushed_changed(base, data)
            if link is not None and not changed:
                await mappings.settle(scope, link.id, "conflict" if opened else "synced")
                await _idle(source, record_id, link)
                return None
            payload = {"version": held.version, "fields": sorted(changed), "external_id": link.external_id if link else None}
            payload |= {"base_version": link.base_version or None} if link else {}
            delivery = await _take(source, record_id, deliveries.WRITE, payload)
            return (
                Decided(delivery, record_id, link, held.version, held.connection_id, data, base, changed, bool(opened))
                if delivery
                else None
            )

    async def _plan_removal(self, source: Source, record_id: UUID, held: Held, link: Link | None) -> Decided | None:
        """The hub deleted the record: what becomes of the provider's object is the stream's policy."""
        assert link is not None
        policy = await conflicts.policy(source.scope, source.connection_id, source.stream.record_stream)
        writer = source.stream.writer
        wanted = policy.hub_deletions == "propagate" or (policy.hub_deletions == "deactivate" and writer and writer.deletes == "deactivate")
        if link.status == "deleted" or not wanted or writer is None or writer.deletes is None:
            await mappings.settle(source.scope, link.id, "deleted" if link.status == "deleted" else "synced")
            await _idle(source, record_id, link)
            return None
        delivery = await _take(source, record_id, deliveries.REMOVE, {"version": held.version, "external_id": link.external_id})
        return (
            Decided(delivery, record_id, link, held.version, held.connection_id, held.data, {}, frozenset(), removed=True)
            if delivery
            else None
        )

    async def _carry_out(self, source: Source, session: Session, plan: Decided) -> PushOutcome | None:
        """Write, and store what came of it. None: the provider's object had changed and was merged; look again."""
        try:
            if plan.removed:
                return await self._remove(source, session, plan)
            if plan.link is None:
                return await self._create(source, session, plan)
            return await self._update(source, session, plan, plan.link)
        except LeaseLost:
            raise
        except PlanOutdated as error:
            async with transaction(source.scope):
                await self._end(source, plan, "not_applied", error_code=error.code, error_message=error.message, fix_by=error.fix_by)
            raise
        except (ProviderUnavailable, RateLimited) as error:
            await self._wait(source, plan, error)
            raise
        except (RequestRejected, RecordInvalid, *UNUSABLE) as error:
            await self._fail(source, plan, error)
            return PushOutcome.FAILED
        except ConnectorError as error:
            await self._wait(source, plan, error)
            raise

    async def _update(self, source: Source, session: Session, plan: Decided, link: Link) -> PushOutcome | None:
        fresh = await source.stream.read_one(session, link.external_id)
        if fresh is None or fresh.item.deleted:
            raise NotTaken
        theirs = translated(source, fresh)
        if source.translator.changed(plan.base, theirs) & source.covers(plan.home):
            if plan.delivery.attempts > 1 and not source.translator.pushed_changed(plan.data, theirs) & plan.changed:
                await self._confirm(source, plan, link, fresh)  # an earlier attempt had been carried out
                return PushOutcome.UPDATED
            _expect_shown(plan, theirs)
            await self._merge(source, plan, fresh)
            return None
        _expect_shown(plan, theirs)
        write = self.write_of(source, plan, link.external_id, fresh)
        _expect_sent(plan, write)
        after = await _writer(source).write(session, write)
        await self._confirm(source, plan, link, after)
        return PushOutcome.UPDATED

    async def _create(self, source: Source, session: Session, plan: Decided) -> PushOutcome | None:
        """Look whether it is there already, made by an earlier attempt or by somebody; link it then, else create it."""
        writer, write = _writer(source), self.write_of(source, plan, None, None)
        found = await find_one(source, session, write)
        if found:
            if plan.delivery.attempts == 1:
                _expect_shown(plan, translated(source, found))
            return await self._link(source, plan, found)
        _expect_sent(plan, write)
        after = await writer.write(session, write)
        await self._confirm(source, plan, None, after)
        return PushOutcome.CREATED

    async def _link(self, source: Source, plan: Decided, found: Reading) -> PushOutcome | None:
        """It is at the provider already: from now on both are one, and what differs is merged."""
        scope, stream = source.scope, source.stream.record_stream
        async with transaction(scope):
            await lock_records_of(scope, source.connection_id, stream)
            taken = (await mappings.known(scope, source.connection_id, stream, [found.item.external_id])).get(found.item.external_id)
            if taken is not None and taken.record_id != plan.record_id:
                raise RequestRejected(f"The provider's {found.item.external_id} belongs to another record of the hub; merge the two.")
            theirs = translated(source, found)
            if plan.delivery.attempts > 1 and not source.translator.pushed_changed(plan.data, theirs) & plan.changed:
                await self._store(source, plan, None, found)
                return PushOutcome.CREATED
            await records.find_home(scope, plan.record_id, source.connection_id)
            await mappings.add_link(
                scope, source.connection_id, stream, found.item.external_id, plan.record_id, source.name, base_version=0
            )
            await self.pages.write(source, page_of(found))
            await self._again(source, plan)
        return None

    async def _remove(self, source: Source, session: Session, plan: Decided) -> PushOutcome:
        assert plan.link is not None
        with suppress(ObjectMissing):  # gone already: that is what was wanted
            await _writer(source).remove(session, plan.link.external_id)
        async with transaction(source.scope):
            await lock_records_of(source.scope, source.connection_id, source.stream.record_stream)
            await mappings.settle(source.scope, plan.link.id, "deleted")
            await _heal(source, plan.record_id, plan.link.external_id)
            await self._end(source, plan, "confirmed", confirmation={"external_id": plan.link.external_id, "removed": True})
        return PushOutcome.DELETED

    def write_of(self, source: Source, plan: Decided, external_id: str | None, before: Reading | None) -> RecordWrite:
        document = source.translator.untranslate(plan.data, source.account)
        names = source.translator.document_names(plan.changed)
        return RecordWrite(str(plan.delivery.id), external_id, document, names, before, plan.delivery.attempts > 1)

    async def _merge(self, source: Source, plan: Decided, fresh: Reading) -> None:
        """Somebody changed the object at the provider: take that in as a sync would, and let the delivery go."""
        async with transaction(source.scope):
            await self.pages.write(source, page_of(fresh))
            await self._end(
                source, plan, "not_applied", error_code="changed_at_provider", error_message="It had changed there; merged first."
            )

    async def _confirm(self, source: Source, plan: Decided, link: Link | None, after: Reading) -> None:
        async with transaction(source.scope):
            await lock_records_of(source.scope, source.connection_id, source.stream.record_stream)
            await self._store(source, plan, link, after)

    async def _store(self, source: Source, plan: Decided, link: Link | None, after: Reading) -> None:
        """The provider has what was sent: that is the base from now on. What else it shows is merged in."""
        scope, stream, external_id = source.scope, source.stream.record_stream, after.item.external_id
        refused = await self._note_refused(source, plan, after)
        status = "conflict" if refused or plan.in_conflict else "pending"
        if link is None:
            await records.find_home(scope, plan.record_id, source.connection_id)
            await mappings.add_link(
                scope, source.connection_id, stream, external_id, plan.record_id, source.name, base_version=plan.version, status=status
            )
        else:
            await mappings.rebase(scope, link.id, plan.version, status)
        await _heal(source, plan.record_id, external_id)
        await self.pages.write(source, page_of(after))
        await self._end(source, plan, "confirmed", confirmation={"external_id": external_id, "fields": sorted(plan.changed)})

    async def _note_refused(self, source: Source, plan: Decided, after: Reading) -> bool:
        """Fields that the provider shows otherwise than they were sent wait for somebody, and are not taken back silently."""
        theirs = translated(source, after)
        refused = source.translator.pushed_changed(plan.data, theirs) & plan.changed
        if refused:
            found = [
                FoundConflict(plan.record_id, after.item.external_id, name, plan.base.get(name), plan.data.get(name), theirs.get(name))
                for name in sorted(refused)
            ]
            await conflicts.put_found(source.scope, source.connection_id, source.stream.record_stream, source.run_id, found)
        return bool(refused)

    async def _end(self, source: Source, plan: Decided, status: str, **what: Any) -> None:
        if not await deliveries.finish(source.scope, plan.delivery, status, **what):
            raise LeaseLost

    async def _again(self, source: Source, plan: Decided) -> None:
        """The world is another one now: the delivery is decided anew."""
        if not await deliveries.give_back(source.scope, plan.delivery):
            raise LeaseLost

    async def _wait(self, source: Source, plan: Decided, error: HubError) -> None:
        """Time heals it: the delivery waits, and the next attempt looks before it writes."""
        delay = error.retry_after if isinstance(error, RateLimited) else 5.0 * min(plan.delivery.attempts, 12)
        async with transaction(source.scope):
            await deliveries.give_back(source.scope, plan.delivery, delay=delay, error=error)

    async def _fail(self, source: Source, plan: Decided, error: Exception) -> None:
        """It cannot be written as it is: kept as a failed record, with the sentence for who can fix it."""
        scope, where = source.scope, (source.scope, source.connection_id, source.stream.record_stream)
        code, by = (error.code, error.fix_by) if isinstance(error, HubError) else ("record_invalid", FixBy.CUSTOMER)
        message = str(error) or type(error).__name__
        key = plan.link.external_id if plan.link else f"record:{plan.record_id}"
        async with transaction(scope):
            await self._end(source, plan, "failed", error_code=code, error_message=message, fix_by=by)
            payload = msgspec.json.encode(plan.data)
            await failures.put_failures(*where, source.run_id, [Failure(key, payload, "push", message, code, by)])
            if plan.link:
                await mappings.mark_failed(*where, {plan.link.external_id: message})


async def find_one(source: Source, session: Session, write: RecordWrite) -> Reading | None:
    """The provider's object that is this one already. Raises RequestRejected where there are several."""
    found = await _writer(source).find(session, write.document, write.key)
    if len(found) > 1:
        names = ", ".join(reading.item.external_id for reading in found[:3])
        raise RequestRejected(f"The provider has several of these: {names}. Merge them there, or link the right one.")
    return found[0] if found else None


def _expect_shown(plan: Decided, theirs: Data) -> None:
    if plan.expected is not None:
        plan.expected.shown(theirs)


def _expect_sent(plan: Decided, write: RecordWrite) -> None:
    if plan.expected is not None:
        plan.expected.sent(write)


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
    if await _heal(source, record_id, link.external_id if link else None) and link:
        await mappings.recover(source.scope, link.id)


async def _heal(source: Source, record_id: UUID, external_id: str | None) -> bool:
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


def translated(source: Source, reading: Reading) -> Data:
    document = source.stream.assemble(reading.item.payload, reading.parts, source.account)
    found: Data = msgspec.json.decode(msgspec.json.encode(source.translator.translate(document, source.account)))
    return found


def page_of(reading: Reading) -> Page:
    return Page(state={}, items=[reading.item], parts=list(reading.parts))


def _writer(source: Source) -> Writer:
    assert source.stream.writer is not None
    return source.stream.writer
