"""Walks what waits to be pushed to a stream of a connection, page by page."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec

from app.conflicts import repository as conflicts
from app.connectors.base import Session, State
from app.deliveries.record_store import REMOVE
from app.mappings import links
from app.syncs import walks
from app.syncs.leases import Lease
from app.syncs.models import Counts
from app.syncs.pushing import PushOutcome, RecordPusher
from app.syncs.sources import Source
from app.syncs.walks import PUSH, Ended

PAGE = 50
One = TypeVar("One")
Done = TypeVar("Done")

AT_ONCE = 4
"""Records of a page that are brought to the provider side by side; the budget of the connection sets the pace."""


class PushState(msgspec.Struct, omit_defaults=True):
    """How far a push has come: first what has changed, then, where the policy wants it, what the provider does not have yet."""

    phase: str = "changes"
    after: UUID | None = None
    done: list[UUID] = []
    """Records of the next page that were brought before it was interrupted: they are counted, and not looked at again."""

    @classmethod
    def of(cls, state: State | None) -> "PushState":
        return msgspec.convert(state or {}, cls)

    def saved(self) -> State:
        found: State = msgspec.to_builtins(self)
        return found


@dataclass(frozen=True, slots=True)
class PushedPage:
    """What became of a page's records, and the state that is safe to save after it."""

    state: State
    record_ids: Sequence[UUID]
    counts: Counts


async def push_pages(
    pusher: RecordPusher,
    source: Source,
    session: Session,
    resume: State | None,
    *,
    only: UUID | None = None,
    creates_missing: bool = False,
) -> AsyncGenerator[PushedPage, None]:
    """Push page by page from the state on; `creates_missing`: also what the provider does not have, whatever the policy says.

    `only`: this record alone, which is made there if need be.

    Raises ConnectorError when time will heal it; each record by then is done or waits. What was done of a page that is interrupted is
    counted by `count_interrupted` when the run is taken up again, or ends.
    """
    state = PushState.of(resume)
    while state.phase != "ended":
        found, following = await next_waiting(source, state, only, creates_missing)
        outcomes = await side_by_side(found, lambda record_id: pusher.push(source, session, record_id), PushOutcome.UNCHANGED)
        yield PushedPage(following.saved(), found, counts_of(outcomes))
        state = following


async def next_waiting(source: Source, state: PushState, only: UUID | None, creates_missing: bool) -> tuple[list[UUID], PushState]:
    """The next records that may have to be pushed, and how far the walk has come with them."""
    if only is not None:
        return [record_id for record_id in (only,) if record_id not in state.done], PushState("ended")
    where = (source.scope, source.connection_id, source.stream.record_stream)
    if state.phase == "changes":
        found = await links.waiting(*where, state.after, PAGE)
        if found:
            return [record_id for _, record_id in found if record_id not in state.done], PushState("changes", found[-1][0])
        wanted = creates_missing or (await conflicts.policy(*where)).creates_missing
        return [], PushState("missing" if wanted else "ended")
    missing = await links.unmapped(*where, source.translator.entity_name, source.stream.kinds, state.after, PAGE)
    left = [record_id for record_id in missing if record_id not in state.done]
    return left, PushState("missing", missing[-1]) if missing else PushState("ended")


async def count_interrupted(lease: Lease, stream: str) -> bool:
    """Note what was done of a page that was interrupted, whatever interrupted it, as a page of its own. Whether there was anything.

    In the caller's transaction, which proves the lease.
    """
    ended = await walks.ended_since_last_page(lease, stream)
    if not ended:
        return False
    state = await walks.resume_state(lease.scope, lease.run_id, stream, PUSH) or {}
    ids = [str(one.record_id) for one in ended]
    counts = counts_of([_outcome(one) for one in ended])
    await walks.add_page(
        lease, stream, external_ids=ids, state={**state, "done": state.get("done", []) + ids}, counts=counts, expected=None, direction=PUSH
    )
    return True


def _outcome(ended: Ended) -> PushOutcome:
    if ended.status == "failed":
        return PushOutcome.FAILED
    if ended.action == REMOVE:
        return PushOutcome.DELETED
    return PushOutcome.CREATED if ended.is_new else PushOutcome.UPDATED


async def side_by_side(ones: Sequence[One], work: Callable[[One], Awaitable[Done]], idle: Done) -> list[Done]:
    """Some side by side. The first error of the connection ends the page once those that are in hand have ended."""
    room = asyncio.Semaphore(AT_ONCE)
    trouble: list[BaseException] = []

    async def one(given: One) -> Done:
        async with room:
            if trouble:
                return idle
            try:
                return await work(given)
            except Exception as error:
                trouble.append(error)
                return idle

    outcomes = await asyncio.gather(*(one(given) for given in ones))
    if trouble:
        raise trouble[0]
    return outcomes


def counts_of(outcomes: Sequence[PushOutcome]) -> Counts:
    """The outcomes, counted."""
    count = {outcome: outcomes.count(outcome) for outcome in PushOutcome}
    return Counts(
        read=len(outcomes),
        created=count[PushOutcome.CREATED],
        updated=count[PushOutcome.UPDATED],
        unchanged=count[PushOutcome.UNCHANGED],
        deleted=count[PushOutcome.DELETED],
        failed=count[PushOutcome.FAILED],
    )
