"""Brings one record to a provider, with its effect once, whatever happens on the way.

The write is a delivery: taken in hand in the transaction that decided what to send (push_decisions.py), ended in the one that stores
what the provider shows afterwards. The object is read immediately before it is written. When it is not what the hub last saw, it is
merged first, so that nothing that somebody changed there is overwritten unseen.
"""

from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.conflicts import repository as conflicts
from app.conflicts.models import FoundConflict
from app.connectors.base import Page, Reading, RecordWrite, Session, Writer
from app.connectors.errors import ConnectorError, ObjectMissing, ProviderUnavailable, RateLimited, RequestRejected
from app.database import transaction
from app.deliveries import record_store as deliveries
from app.errors import FixBy, HubError, LeaseLost
from app.mappings import links
from app.mappings import repository as mappings
from app.mappings.links import Link
from app.mappings.translate import RecordInvalid
from app.records import repository as records
from app.syncs import attempts, failures
from app.syncs.failures import Failure
from app.syncs.pages import PageWriter
from app.syncs.plans.models import PlanOutdated
from app.syncs.push_decisions import Data, Decided, Expected, decide, heal
from app.syncs.sources import UNUSABLE, Source
from app.syncs.walks import lock_records_of

ROUNDS = 3
"""How often an object that changes while it is written is merged and tried again, before its turn comes later."""


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
            plan = await decide(source, record_id)
            if plan is None:
                return outcome
            done = await self._carry_out(source, session, replace(plan, expected=expected))
            if done is not None:
                return done
        return outcome

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
        moved = source.translator.changed(plan.base, theirs) & source.covers(plan.home)
        if plan.resumed and not source.translator.pushed_changed(plan.data, theirs) & plan.changed:
            await self._confirm(source, plan, link, fresh)  # an earlier attempt had been carried out, or there is nothing to take back
            return PushOutcome.UPDATED if moved else PushOutcome.UNCHANGED
        _expect_shown(plan, theirs)
        if moved:
            await self._merge(source, plan, fresh)
            return None
        write = self.write_of(source, plan, link.external_id, fresh)
        _expect_sent(plan, write)
        after = await _writer(source).write(session, write)
        await self._confirm(source, plan, link, after)
        return PushOutcome.UPDATED

    async def _create(self, source: Source, session: Session, plan: Decided) -> PushOutcome | None:
        """Look whether it is there already, made by an earlier attempt or by somebody; link it then, else create it."""
        writer, write = _writer(source), self.write_of(source, plan, None, None)
        found = await find_one(source, session, write) or await self._made_before(source, session, plan)
        if found:
            if not plan.resumed:
                _expect_shown(plan, translated(source, found))
            return await self._link(source, plan, found)
        _expect_sent(plan, write)
        after = await writer.write(session, write)
        await self._confirm(source, plan, None, after)
        return PushOutcome.CREATED

    async def _made_before(self, source: Source, session: Session, plan: Decided) -> Reading | None:
        """What an earlier attempt has made of the record as it was then: its name or address may be another one by now."""
        for attempt in plan.unsettled:
            write = self.write_of(source, replace(plan, data=attempt.data), None, None)
            readings = await _writer(source).find(session, write.document, write.key)
            made = [reading for reading in readings if attempts.shows(source, attempt.data, translated(source, reading))]
            if len(made) == 1:
                return made[0]
        return None

    async def _link(self, source: Source, plan: Decided, found: Reading) -> PushOutcome | None:
        """It is at the provider already: from now on both are one, and what differs is merged."""
        scope, stream = source.scope, source.stream.record_stream
        async with transaction(scope):
            await lock_records_of(scope, source.connection_id, stream)
            taken = (await mappings.known(scope, source.connection_id, stream, [found.item.external_id])).get(found.item.external_id)
            if taken is not None and taken.record_id != plan.record_id:
                raise RequestRejected(f"The provider's {found.item.external_id} belongs to another record of the hub; merge the two.")
            theirs = translated(source, found)
            if plan.resumed and not source.translator.pushed_changed(plan.data, theirs) & plan.changed:
                await self._store(source, plan, await _linked(source, plan, found), found)
                return PushOutcome.CREATED
            if taken is None:
                await records.find_home(scope, plan.record_id, source.connection_id)
                await links.add_link(
                    scope, source.connection_id, stream, found.item.external_id, plan.record_id, source.name, base_version=0
                )
            await self.pages.write(source, page_of(found))
            await self._again(source, plan)
        return None

    async def _remove(self, source: Source, session: Session, plan: Decided) -> PushOutcome | None:
        """Take the object away, unless somebody changed it there: then it is merged, which asks what is to become of it."""
        assert plan.link is not None
        fresh = await source.stream.read_one(session, plan.link.external_id)
        if fresh is not None and not fresh.item.deleted:
            if source.translator.changed(plan.base, translated(source, fresh)) & source.covers(plan.home):
                await self._merge(source, plan, fresh)
                return None
            with suppress(ObjectMissing):  # gone already: that is what was wanted
                await _writer(source).remove(session, plan.link.external_id)
        async with transaction(source.scope):
            await lock_records_of(source.scope, source.connection_id, source.stream.record_stream)
            await links.settle(source.scope, plan.link.id, "deleted")
            await heal(source, plan.record_id, plan.link.external_id)
            await self._end(source, plan, "confirmed", confirmation={"external_id": plan.link.external_id, "removed": True})
        return PushOutcome.DELETED

    def write_of(self, source: Source, plan: Decided, external_id: str | None, before: Reading | None) -> RecordWrite:
        document = source.translator.untranslate(plan.data, source.account)
        names = source.translator.document_names(plan.changed)
        return RecordWrite(str(plan.delivery.id), external_id, document, names, before, plan.resumed)

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
            await records.hold_with_survivors(source.scope, [plan.record_id])  # first the record, then its mapping, as everywhere
            await self._store(source, plan, link or await _linked(source, plan, after), after)

    async def _store(self, source: Source, plan: Decided, link: Link | None, after: Reading) -> None:
        """The provider has what was sent: that is the base from now on. What else it shows is merged in."""
        scope, stream, external_id = source.scope, source.stream.record_stream, after.item.external_id
        refused = await self._note_refused(source, plan, after)
        status = "conflict" if refused or plan.in_conflict else "pending"
        if link is None:
            await records.find_home(scope, plan.record_id, source.connection_id)
            await links.add_link(
                scope, source.connection_id, stream, external_id, plan.record_id, source.name, base_version=plan.version, status=status
            )
        else:
            await links.rebase(scope, link.id, plan.version, status)
        await heal(source, plan.record_id, external_id)
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


async def _linked(source: Source, plan: Decided, made: Reading) -> Link | None:
    """A page may have met the object before its maker could store it (app/syncs/creations.py). Raises RequestRejected for another one."""
    link = await links.link(source.scope, source.connection_id, source.stream.record_stream, plan.record_id)
    if link is not None and link.external_id != made.item.external_id:
        raise RequestRejected(f"The provider has two of these: {link.external_id} and {made.item.external_id}. Merge them there.")
    return link


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


def translated(source: Source, reading: Reading) -> Data:
    document = source.stream.assemble(reading.item.payload, reading.parts, source.account)
    found: Data = msgspec.json.decode(msgspec.json.encode(source.translator.translate(document, source.account)))
    return found


def page_of(reading: Reading) -> Page:
    return Page(state={}, items=[reading.item], parts=list(reading.parts))


def _writer(source: Source) -> Writer:
    assert source.stream.writer is not None
    return source.stream.writer
