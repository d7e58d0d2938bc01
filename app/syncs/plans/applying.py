"""Applies the pull of a plan, page by page, from the objects that it kept: the provider is not asked again.

Each page is one transaction, as in a run: what the plan saw is looked at under the lock, the objects are written by the same writer,
and what came of them is compared with what was planned. Whatever differs, the page is taken back and the plan is refused.
"""

import time
from collections.abc import Collection, Sequence
from uuid import UUID

from app.actors import Scope
from app.connectors.base import BadItem, Page, Part
from app.database import transaction
from app.syncs import quarantine_store, walks
from app.syncs.leases import Lease
from app.syncs.models import Counts
from app.syncs.pages import Outcome
from app.syncs.plans import due_items
from app.syncs.plans import items as plan_items
from app.syncs.plans import parts as plan_parts
from app.syncs.plans import rules as plan_rules
from app.syncs.plans import store as plan_store
from app.syncs.plans.making import HOLD
from app.syncs.plans.models import PULL, DueItem, Moved, Plan, PlanOutdated
from app.syncs.sources import Source
from app.syncs.walker import StreamWalker

PAGE = 200


class PullApplier:
    """Applies what was planned for a stream."""

    def __init__(self, walker: StreamWalker) -> None:
        self._walker = walker

    async def walk(self, lease: Lease, plan: Plan, source: Source, deadline: float) -> bool:
        """True when everything is applied; False when the slice is over first. Raises PlanOutdated, LeaseLost."""
        name, scope = source.stream.name, lease.scope
        resume = await walks.resume_state(scope, lease.run_id, name)
        if resume is None:
            await self._begin(lease, plan, source)
        after = UUID(resume["after"]) if resume else None
        while batch := await due_items.due(scope, plan.id, name, PULL, after=after, limit=PAGE):
            after = batch[-1].id
            await self._apply(lease, plan, source, batch)
            if time.monotonic() > deadline:
                return False
        if not plan.chosen_only:
            await self._end_whole(lease, plan, source)
        async with transaction(scope):
            await walks.finish_stream(lease, name, keep_state=False)
            await self._walker.checkpoint(lease, f"{source.stream.title}: applied")
        return True

    async def _begin(self, lease: Lease, plan: Plan, source: Source) -> None:
        expected = await due_items.due_count(lease.scope, plan.id, source.stream.name, PULL)
        async with transaction(lease.scope):
            await walks.begin_stream(lease, source.stream.name, expected or None)
            await self._walker.checkpoint(lease, f"{source.stream.title}: applying", forgive=False)

    async def _apply(self, lease: Lease, plan: Plan, source: Source, batch: Sequence[DueItem]) -> None:
        """Items, what became of them and how far the walk has come commit together, under the fence. Raises PlanOutdated."""
        scope, name = lease.scope, source.stream.name
        for item in [item for item in batch if item.kind == HOLD]:
            missing, known = item.fields["external_ids"]["missing"], item.fields["records"]["known"]
            await self._walker.hold_deletions(lease, source, missing, known)
        objects = [item for item in batch if item.kind != HOLD]
        async with transaction(scope):
            await walks.lock_records_of(scope, source.connection_id, source.stream.record_stream)
            objects, parts = await _with_parts(scope, plan.id, name, objects)
            await _require_unmoved(scope, plan, [item.id for item in objects])
            counts, outcome = await self._walker.pages.write_each(source, _page(objects, parts))
            await _require_planned(source, objects, outcome)
            await due_items.mark_applied(scope, [item.id for item in (*batch, *objects)])
            await self._note(lease, name, [item.key for item in objects], batch[-1].id, counts)

    async def _note(self, lease: Lease, stream: str, keys: Sequence[str], after: UUID, counts: Counts) -> None:
        await walks.add_page(lease, stream, external_ids=keys, state={"after": str(after)}, counts=counts, expected=None)
        await self._walker.checkpoint(lease, "")

    async def _end_whole(self, lease: Lease, plan: Plan, source: Source) -> None:
        """What a whole run leaves besides its records: parts that wait for their parents, and the state of its walk.

        As long as something was left out the state stays: the next run meets it again.
        """
        scope, name = lease.scope, source.stream.name
        after = ""
        while parts := await plan_parts.orphans(scope, plan.id, name, after, PAGE):
            async with transaction(scope):
                _, outcome = await self._walker.pages.write_each(source, Page(state={}, parts=parts))
                await _require_planned(source, [], outcome)
                await self._walker.checkpoint(lease, "")
            after = parts[-1].external_id
        terms = plan.terms[name]
        async with transaction(scope):
            if terms.get("found_all"):
                await quarantine_store.clear(scope, source.connection_id, name)
            if not terms["narrowed"] and not await due_items.is_any_left(scope, plan.id, name):
                await plan_store.keep_state(scope, plan, lease.run_id, name, terms["saved"])
            await self._walker.checkpoint(lease, "")


async def _with_parts(scope: Scope, plan_id: UUID, stream: str, items: Sequence[DueItem]) -> tuple[list[DueItem], list[Part]]:
    """The parts that go with the items, and the items that have to go with them: a part that moves takes both its parents along."""
    found = {item.key: item for item in items}
    while True:
        parts = await plan_parts.of(scope, plan_id, stream, found)
        parents = {parent for part, former in parts for parent in (part.parent_id, former) if parent} - found.keys()
        more = await due_items.by_keys(scope, plan_id, stream, parents) if parents else []
        if not more:
            return list(found.values()), [part for part, _ in parts]
        found.update((item.key, item) for item in more)


async def _require_unmoved(scope: Scope, plan: Plan, item_ids: Collection[UUID]) -> None:
    if moved := await due_items.moved(scope, plan.id, plan.connection_id, item_ids):
        raise PlanOutdated(moved)


async def _require_planned(source: Source, items: Sequence[DueItem], outcome: Outcome) -> None:
    """What came of the page is what the plan says, object by object. Raises PlanOutdated."""
    planned = {item.key: item.effect for item in items}
    came = {item.key: item.effect for item in plan_rules.items_of(outcome, await plan_items.found_conflicts(source))}
    if moved := [Moved(source.stream.name, key, None, "outcome") for key in {**planned, **came} if planned.get(key) != came.get(key)]:
        raise PlanOutdated(moved)


def _page(items: Sequence[DueItem], parts: Sequence[Part]) -> Page:
    bad = [item for item in items if item.error and item.error["stage"] == "read"]
    unreadable = {item.key for item in bad}
    return Page(
        state={},
        items=[item.item for item in items if item.key not in unreadable],
        parts=parts,
        bad=[BadItem(item.key, item.payload or b"", str(item.error["message"])) for item in bad if item.error],
    )
