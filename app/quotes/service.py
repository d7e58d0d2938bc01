"""Quotes: what clients see, what they decide, and the decisions' way into the outbox.

Refusals, all of them from app/quotes/refusals.py: QuoteNotFound, DecisionNotFound, QuoteChanged, QuoteAlreadyDecided,
QuoteExpired, QuoteNotOpen, LinesInvalid, ReasonMissing, SignatureMissing, TermsNotAccepted.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.actors import Actor, ActorKind, Permission, Scope
from app.audit.service import AuditService
from app.connectors.base import DecidedLine, QuoteDecision
from app.database import transaction
from app.deliveries.service import DeliveryService
from app.errors import InvalidInput, PermissionDenied
from app.feed.service import FeedService
from app.idempotency import once
from app.ids import new_id
from app.quotes import client_store, decision_store, repository, rules
from app.quotes.models import (
    ConnectionRef,
    Decision,
    LineDecision,
    ProjectionFailure,
    Quote,
    QuoteStatus,
)
from app.quotes.outcomes import DecisionOutcomes
from app.quotes.projection import QuoteProjection
from app.quotes.reading import QuoteReading
from app.quotes.refusals import (
    DecisionNotFound,
    LinesInvalid,
    QuoteAlreadyDecided,
    QuoteChanged,
    QuoteExpired,
    QuoteNotFound,
    QuoteNotOpen,
    ReasonMissing,
    SignatureMissing,
    TermsNotAccepted,
)
from app.quotes.rules import Wish
from app.records.models import RecordChange

__all__ = [
    "DecisionNotFound",
    "LinesInvalid",
    "QuoteAlreadyDecided",
    "QuoteChanged",
    "QuoteExpired",
    "QuoteNotFound",
    "QuoteNotOpen",
    "QuoteService",
    "ReasonMissing",
    "SignatureMissing",
    "TermsNotAccepted",
]

_ACTIONS = {
    QuoteStatus.APPROVED: "approve_quote",
    QuoteStatus.PARTIALLY_APPROVED: "approve_quote_partially",
    QuoteStatus.REJECTED: "reject_quote",
}


class QuoteService(QuoteReading):
    """Shows quotes and decides them."""

    def __init__(
        self,
        *,
        audit: AuditService,
        feed: FeedService,
        deliveries: DeliveryService,
        outcomes: DecisionOutcomes,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(titles=deliveries.titles, now=now)
        self.audit = audit
        self.feed = feed
        self.deliveries = deliveries
        self.outcomes = outcomes
        self._projection = QuoteProjection(feed, outcomes)

    async def project(self, scope: Scope, connection: ConnectionRef, changes: Sequence[RecordChange]) -> list[ProjectionFailure]:
        """Bring quotes in step with changed jobs and contacts. Says which jobs make no quote, and why."""
        return await self._projection.project(scope, connection, changes)

    async def assign_client(self, scope: Scope, client_id: UUID, contact_record_id: UUID) -> int:
        """Give a new client the quotes that are for its contact. Says how many."""
        events = await client_store.assign(scope, client_id, contact_record_id)
        await self.feed.publish_many(scope, events)
        return len(events)

    async def count_for_contact(self, scope: Scope, contact_record_id: UUID) -> int:
        """How many quotes are for a contact, with those that were merged into it."""
        return await client_store.count_for(scope, contact_record_id)

    async def follow_contacts(self, scope: Scope, contact_record_ids: Sequence[UUID]) -> int:
        """Give quotes the name and client of the contacts that they are for now, after a merge. Says how many changed."""
        events = await client_store.follow(scope, contact_record_ids)
        await self.feed.publish_many(scope, events)
        return len(events)

    async def approve(
        self,
        actor: Actor,
        quote_id: UUID,
        *,
        version: int,
        lines: Sequence[UUID] | None,
        signature_name: str,
        accept_terms: bool,
        note: str | None = None,
        purchase_order: str | None = None,
        line_reasons: Mapping[UUID, str] | None = None,
        idempotency_key: str,
    ) -> Decision:
        """Approve the whole quote (`lines` None) or the lines named, as seen at that version. A repeat returns the first result.

        `line_reasons` may say why lines were left out. Raises the refusals above and IdempotencyKeyReused.
        """
        wish = rules.approval(
            version=version,
            lines=lines,
            line_reasons=line_reasons,
            signature_name=signature_name,
            accept_terms=accept_terms,
            note=note,
            purchase_order=purchase_order,
        )
        return await self._decide(actor, quote_id, wish, idempotency_key)

    async def reject(
        self,
        actor: Actor,
        quote_id: UUID,
        *,
        version: int,
        reason: str,
        line_reasons: Mapping[UUID, str] | None = None,
        note: str | None = None,
        idempotency_key: str,
    ) -> Decision:
        """Decline the whole quote, with a reason. A repeat returns the first result. Raises as `approve` does."""
        wish = rules.rejection(version=version, reason=reason, line_reasons=line_reasons, note=note)
        return await self._decide(actor, quote_id, wish, idempotency_key)

    async def _decide(self, actor: Actor, quote_id: UUID, wish: Wish, key: str) -> Decision:
        actor.require(Permission.DECIDE_QUOTES)
        actor.require(Permission.READ_QUOTES)  # the answer, a refusal too, shows the quote
        async with once(actor, wish.operation, key, [quote_id, wish]) as call:
            if call.repeated:
                return await self._decision(actor.scope, call.id())
            if not await repository.lock(actor.scope, quote_id):
                raise QuoteNotFound
            quote = await self._quote(actor.scope, quote_id)
            decision = await self._earlier(actor.scope, quote, wish) or await self._decide_first(actor, quote, wish, key)
            call.result = {"id": str(decision.id)}
        return decision

    async def _decision(self, scope: Scope, decision_id: UUID) -> Decision:
        decision = await decision_store.get(scope, decision_id)
        if decision is None:
            raise DecisionNotFound
        return decision

    async def _earlier(self, scope: Scope, quote: Quote, wish: Wish) -> Decision | None:
        """The decision that stands, if it says the same. Raises QuoteAlreadyDecided if it says something else."""
        if quote.decision is None:
            return None
        if await decision_store.request_hash(scope, quote.decision.id) != rules.fingerprint(quote, wish):
            raise QuoteAlreadyDecided(quote.decision)
        return quote.decision

    async def _decide_first(self, actor: Actor, quote: Quote, wish: Wish, key: str) -> Decision:
        """Decision, lines, delivery, audit entry and event commit together or not at all."""
        scope = actor.scope
        decision = rules.decide(quote, wish, decision_id=new_id(), decided_by=_who(actor), terms=quote.terms, now=self.now())
        await decision_store.add(scope, quote, decision, idempotency_key=key, request_hash=rules.fingerprint(quote, wish))
        event = await decision_store.settle(scope, decision)
        await self.deliveries.add(
            scope,
            connection_id=quote.connection_id,
            provider=quote.provider,
            action=_ACTIONS[decision.outcome],
            decision=_for_provider(quote, decision),
            quote_id=quote.id,
            client_id=quote.client_id,
        )
        await self.audit.add(actor, f"quote.{decision.outcome}", quote.id, _for_audit(decision))
        await self.feed.publish_many(scope, [event])
        return decision

    async def reopen(self, scope: Scope, decision: Decision, found: Mapping[str, object]) -> None:
        """A decision was not applied: keep it as superseded and open the quote with what was found, in the caller's transaction."""
        await self.outcomes.reopen(scope, decision, found)

    async def set_validity(self, actor: Actor, quote_id: UUID, *, valid_until: datetime | None) -> Quote:
        """Until when a quote may be decided (None: for ever); for the organization's own people. Raises QuoteNotFound."""
        actor.require(Permission.DECIDE_QUOTES)
        if actor.kind is ActorKind.CLIENT_CONTACT:
            raise PermissionDenied
        if valid_until is not None and valid_until.tzinfo is None:
            raise InvalidInput(fields={"valid_until": "Give the time with its offset from UTC."})
        async with transaction(actor.scope):
            if not await repository.lock(actor.scope, quote_id):
                raise QuoteNotFound
            event = await repository.touch(actor.scope, quote_id, valid_until=valid_until)
            quote = await self._quote(actor.scope, quote_id)
            await self.audit.add(actor, "quote.validity_set", quote_id, {"valid_until": valid_until})
            await self.feed.publish_many(actor.scope, [event])
        return quote


def _who(actor: Actor) -> dict[str, str | None]:
    return {"kind": actor.kind.value, "id": str(actor.id) if actor.id else None, "role": actor.role.value, "name": actor.name}


def _for_provider(quote: Quote, decision: Decision) -> QuoteDecision:
    """What an action gets; the decision's id makes every write that it causes repeatable."""
    return QuoteDecision(
        decision_id=str(decision.id),
        quote_external_id=quote.external_id,
        outcome=decision.outcome,
        lines=tuple(
            DecidedLine(
                line.external_id,
                line.description,
                line.quantity,
                line.unit_price,
                approved=line.decision is LineDecision.APPROVED,
                reason=line.reason,
            )
            for line in decision.lines
        ),
        decided_by=str(decision.decided_by["name"]),
        decided_at=decision.decided_at.isoformat(),
        signature_name=decision.signature_name,
        reason=decision.reason,
        note=decision.note,
        purchase_order=decision.purchase_order,
        contact_external_id=quote.contact_external_id,
    )


def _for_audit(decision: Decision) -> dict[str, object]:
    return {
        "decision_id": decision.id,
        "version": decision.quote_version,
        "approved": [line.external_id for line in decision.lines if line.decision is LineDecision.APPROVED],
        "rejected": [line.external_id for line in decision.lines if line.decision is LineDecision.REJECTED],
        "approved_total": decision.approved_total,
        "currency": decision.currency,
        "reason": decision.reason,
        "note": decision.note,
        "signature_name": decision.signature_name,
    }
