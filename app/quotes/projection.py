"""Quotes follow the records of a sync's page, in the page's own transaction: jobs, and sales documents that are offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.feed.models import NewEvent
from app.feed.service import FeedService
from app.quotes import client_store
from app.quotes import projection_store as store
from app.quotes.client_store import Contact
from app.quotes.content import OFFER, ContentInvalid, Projected, project
from app.quotes.models import ConnectionRef, ProjectionFailure, QuoteStatus
from app.quotes.outcomes import DecisionOutcomes
from app.quotes.projection_store import QuoteWrite
from app.quotes.transitions import QUOTE, Known, Step, next_step, provider_status
from app.records.models import RecordChange


@dataclass(slots=True)
class _Plan:
    """What a page means for quotes."""

    followed: list[tuple[RecordChange, Known | None, Projected]] = field(default_factory=list)
    noted: list[tuple[UUID, QuoteStatus, str]] = field(default_factory=list)
    reopened: list[tuple[Known, Projected]] = field(default_factory=list)
    failures: list[ProjectionFailure] = field(default_factory=list)


class QuoteProjection:
    """Makes quotes of jobs and offers and keeps them in step."""

    def __init__(self, feed: FeedService, outcomes: DecisionOutcomes) -> None:
        self.feed = feed
        self.outcomes = outcomes

    async def project(self, scope: Scope, connection: ConnectionRef, changes: Sequence[RecordChange]) -> list[ProjectionFailure]:
        """Take over changed jobs, offers and contacts inside the caller's transaction. Says which jobs and offers make no quote."""
        offered = [change for change in changes if change.entity in ("job", "sales_document")]
        await self._rename_contacts(scope, connection, [change for change in changes if change.entity == "contact"])
        concerned = [change.record_id for change in offered if change.before is not None or _is_quote(change.after)]
        if not concerned:
            return []
        await client_store.hold_clients(scope)
        plan = _plan(offered, await store.lock_known(scope, concerned), connection)
        await self._carry_out(scope, connection, plan)
        return plan.failures

    async def _carry_out(self, scope: Scope, connection: ConnectionRef, plan: _Plan) -> None:
        events = await store.set_status(scope, plan.noted)
        if plan.followed:
            events += await self._follow(scope, connection, plan)
        await self.feed.publish_many(scope, events)
        for known, projected in plan.reopened:
            await self.outcomes.take_back(scope, known.id, projected)

    async def _follow(self, scope: Scope, connection: ConnectionRef, plan: _Plan) -> list[NewEvent]:
        wanted = {projected.contact_external_id for _, _, projected in plan.followed if projected.contact_external_id}
        contacts = await client_store.contacts(scope, connection.id, sorted(wanted))
        writes = [_write(change, known, projected, contacts) for change, known, projected in plan.followed]
        moved = [
            (write.id, write.client_id)
            for write, (_, known, _) in zip(writes, plan.followed, strict=True)
            if known is not None and known.client_id != write.client_id
        ]
        events = await store.save(scope, connection.id, connection.provider, writes)
        if moved:
            await client_store.move(scope, moved)
        return events

    async def _rename_contacts(self, scope: Scope, connection: ConnectionRef, changes: Sequence[RecordChange]) -> None:
        if changes and await client_store.has_quotes(scope, connection.id):
            names = {change.external_id: name for change in changes if (name := _new_name(change)) is not None}
            await self.feed.publish_many(scope, await client_store.rename_contacts(scope, connection.id, names))
        renamed = [change.record_id for change in changes if change.before is not None and _new_name(change) is not None]
        if renamed and (merged := await client_store.survivors(scope, renamed)):
            await self.feed.publish_many(scope, await client_store.follow(scope, merged))


def _plan(changes: Sequence[RecordChange], known: Mapping[UUID, Known], connection: ConnectionRef) -> _Plan:
    plan = _Plan()
    for change in changes:
        quote = known.get(change.record_id)
        if quote is None and not _is_quote(change.after):
            continue
        try:
            projected = None if change.after is None else _projected(change, change.after, quote, connection)
        except ContentInvalid as error:
            plan.failures.append(ProjectionFailure(change.external_id, str(error)))
            continue
        _add_step(plan, change, quote, projected)
    return plan


def _projected(change: RecordChange, data: Mapping[str, Any], known: Known | None, connection: ConnectionRef) -> Projected:
    """The change as a quote. Until when it is valid is the provider's word of now, where that is news; else what was said last here."""
    projected = project(data, connection.currency, connection.time_zone)
    if known is None or (change.before or {}).get("valid_until") != data.get("valid_until"):
        return projected
    return replace(projected, valid_until=known.valid_until)


def _add_step(plan: _Plan, change: RecordChange, known: Known | None, projected: Projected | None) -> None:
    step = next_step(known, projected, _is_quote(change.before))
    if step in (Step.CREATE, Step.FOLLOW) and projected is not None:
        plan.followed.append((change, known, projected))
    elif step is Step.REOPEN and known is not None and projected is not None:
        plan.reopened.append((known, projected))
    elif step is Step.WITHDRAW and known is not None:
        plan.noted.append((known.id, QuoteStatus.WITHDRAWN, provider_status(projected)))
    elif step is Step.NOTE and known is not None:
        plan.noted.append((known.id, known.status, provider_status(projected)))


def _write(change: RecordChange, known: Known | None, projected: Projected, contacts: Mapping[str, Contact]) -> QuoteWrite:
    contact = contacts.get(projected.contact_external_id or "")
    if contact is None:
        is_same = known is not None and known.contact_external_id == projected.contact_external_id
        contact = Contact(known.contact_name, known.client_id) if known is not None and is_same else Contact("", None)
    is_new_version = known is None or known.content_hash != projected.content_hash
    return QuoteWrite(
        id=change.record_id,
        external_id=change.external_id,
        projected=projected,
        client_id=contact.client_id,
        contact_name=contact.name,
        version=1 if known is None else known.version + is_new_version,
        is_new_version=is_new_version,
    )


def _is_quote(data: Mapping[str, object] | None) -> bool:
    return data is not None and data.get("status") == QUOTE and data.get("kind", OFFER) == OFFER


def _new_name(change: RecordChange) -> str | None:
    """A contact's name, if it is news."""
    if change.after is None or (change.before is not None and change.before.get("name") == change.after.get("name")):
        return None
    return str(change.after.get("name") or "")
