"""Deliveries: the outbox of decisions. Written in the transaction that decides, sent by a worker, until the provider confirms."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog

from app.actors import Actor, Permission, Scope, system_actor
from app.audit.service import AuditService
from app.connectors.base import Action, Confirmation, Connector, QuoteDecision, Session, Steps
from app.connectors.errors import AddressRefused, CredentialsRefused, NotApplied, RequestRejected
from app.connectors.hold import Hold, now
from app.database import after_commit, new_id, transaction
from app.deliveries import repository, texts
from app.deliveries.lease import while_held
from app.deliveries.models import Delivery, DeliveryStatus, Waiting, Work
from app.deliveries.reading import DeliveryNotFound, DeliveryReading
from app.deliveries.rules import AT_ONCE, TELL_OPERATORS_SECONDS, UnexpectedError, next_attempt
from app.errors import HubError, LeaseLost, Refusal
from app.feed.service import FeedService
from app.idempotency import once
from app.queue import JobQueue

__all__ = ["DeliveryNotFound", "DeliveryService", "DeliverySettled", "Operators", "Outcomes"]

_log = structlog.get_logger(__name__)

OpenSession = Callable[..., AbstractAsyncContextManager[Session]]
"""ConnectionService.open_session"""
Room = Callable[[Scope, UUID, str, int, int], Awaitable[int]]
"""SessionFactory.room: of connection, provider, requests of one decision, how many at most."""
MarkNeedsAttention = Callable[[Scope, UUID, HubError], Any]
"""ConnectionService.mark_needs_attention; tells the operators."""


_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between the tries to take a delivery while another one of its connection is just being taken."""


class LineBusy(Exception):
    """Another delivery of the connection is just being taken in hand."""


class DeliverySettled(Refusal):
    """This delivery cannot be sent again: it has arrived, or its decision no longer stands."""

    code = "delivery_settled"


class Outcomes(Protocol):
    """What a feature does about the deliveries of its decisions, inside the delivery's transaction (app/quotes/outcomes.py)."""

    async def lock(self, scope: Scope, quote_id: UUID) -> None: ...

    async def moved(self, scope: Scope, quote_id: UUID, status: str) -> None: ...

    async def not_applied(self, scope: Scope, work: Work, found: Mapping[str, Any]) -> None: ...

    async def is_current(self, scope: Scope, work: Work) -> bool: ...


class Operators(Protocol):
    """What is needed of app/mail."""

    async def tell_operators(self, scope: Scope, *, subject: str, body: str, purpose: str) -> object: ...


class DeliveryService(DeliveryReading):
    """Adds deliveries to the outbox and sends them."""

    def __init__(
        self,
        *,
        connectors: Mapping[str, Connector],
        open_session: OpenSession,
        room: Room,
        mark_needs_attention: MarkNeedsAttention,
        outcomes: Outcomes,
        audit: AuditService,
        feed: FeedService,
        queue: JobQueue,
        mail: Operators,
        public_url: str,
        lease_seconds: float = 60.0,
    ) -> None:
        super().__init__({provider: connector.title for provider, connector in connectors.items()})
        self.connectors = connectors
        self.open_session = open_session
        self.room = room
        self.mark_needs_attention = mark_needs_attention
        self.outcomes = outcomes
        self.audit = audit
        self.feed = feed
        self.queue = queue
        self.mail = mail
        self.public_url = public_url.rstrip("/")
        self.lease_seconds = lease_seconds

    async def add(
        self,
        scope: Scope,
        *,
        connection_id: UUID,
        provider: str,
        action: str,
        decision: QuoteDecision,
        quote_id: UUID,
        client_id: UUID | None,
    ) -> UUID:
        """Put a decision into the outbox, in the transaction that decides; a worker is rung for after the commit."""
        delivery_id = new_id()
        values = {
            "client_id": client_id,
            "connection_id": connection_id,
            "provider": provider,
            "action": action,
            "payload": msgspec.to_builtins(decision),
            "quote_id": quote_id,
            "decision_id": UUID(decision.decision_id),
        }
        await repository.add(scope, delivery_id, values)
        await self._tell(scope, delivery_id, 1, DeliveryStatus.QUEUED, client_id)
        after_commit(lambda: self.queue.ring("deliver", scope.organization_id, delivery_id))
        return delivery_id

    async def deliver(self, organization_id: UUID, delivery_id: UUID) -> None:
        """Send a delivery that is due, when it is its turn; any other is left alone. Safe to repeat."""
        scope = Scope(organization_id)
        hold = Hold(now(), 0.0)
        work = await self._claim(scope, delivery_id, hold)
        if work is None:
            return
        try:
            confirmation = await while_held(scope, work, self.lease_seconds, hold, self._perform(scope, work, hold))
        except asyncio.CancelledError:
            with suppress(Exception):  # without it the lease ends by itself, only later
                await self._give_back(scope, work)
            raise
        except Exception as error:
            with suppress(LeaseLost):
                await self._settle_error(scope, work, error)
        else:
            with suppress(LeaseLost):
                await self._confirm(scope, work, confirmation)
        await self._ring_next(scope, work.connection_id)

    async def _claim(self, scope: Scope, delivery_id: UUID, hold: Hold) -> Work | None:
        """Take it in hand. None when it is not due, in other hands, or others of its connection come first; nothing is written then.

        Whoever ends a delivery rings for the next one, and the sweeper for whose turn it is.
        """
        waiting = await repository.waiting(scope, delivery_id)
        at_most = await self._at_most(scope, waiting) if waiting and waiting.place <= AT_ONCE else 0
        if waiting is None or waiting.place > at_most:
            return None
        for pause in _PAUSES:
            hold.extend(now(), self.lease_seconds)
            with suppress(LineBusy):
                return await self._take(scope, delivery_id, waiting, at_most)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
        return None

    async def _take(self, scope: Scope, delivery_id: UUID, waiting: Waiting, at_most: int) -> Work | None:
        async with transaction(scope):
            # A decision holds its quote before its delivery; the same order here, so that nobody waits in a ring.
            if waiting.quote_id is not None:
                await self.outcomes.lock(scope, waiting.quote_id)
            if not await repository.enter_line(scope, waiting.connection_id):
                raise LineBusy
            work = await repository.claim(scope, delivery_id, waiting.connection_id, at_most=at_most, lease_seconds=self.lease_seconds)
            if work is not None:
                await self._moved(scope, work, work.revision, DeliveryStatus.SENDING)
        return work

    async def _at_most(self, scope: Scope, waiting: Waiting) -> int:
        """How many deliveries of this connection may be in hand now: as many as the provider's limits let come to their end."""
        action = self._action(waiting)
        if action is None:
            return AT_ONCE
        try:
            requests = action.requests(msgspec.convert(waiting.payload, QuoteDecision))
        except msgspec.ValidationError:  # the attempt will say so
            return AT_ONCE
        return await self.room(scope, waiting.connection_id, waiting.provider, requests, AT_ONCE)

    def _action(self, work: Waiting | Work) -> Action | None:
        connector = self.connectors.get(work.provider)
        return connector.actions.get(work.action) if connector else None

    async def _ring_next(self, scope: Scope, connection_id: UUID) -> None:
        for delivery_id, fence in await repository.next_in_line(scope, connection_id):
            # A ring of its own: the one that came too early may just be ending, and would swallow it.
            await self.queue.ring("deliver", scope.organization_id, delivery_id, attempt=fence, knock=-1)

    async def _perform(self, scope: Scope, work: Work, hold: Hold) -> Confirmation:
        action = self._action(work)
        if action is None:
            raise UnexpectedError(f"There is no action {work.action!r} for {work.provider!r}.")

        async def save(steps: Steps) -> None:
            async with transaction(scope):
                if not await repository.save_steps(scope, work, steps):
                    raise LeaseLost

        # What a sync has brought meanwhile is known without asking; the connector looks at what nobody knows yet.
        if not work.steps and not await self.outcomes.is_current(scope, work):
            raise NotApplied(f"The quote had changed in {self._title(work)} before the decision was sent.")
        decision = msgspec.convert(work.payload, QuoteDecision)
        async with self.open_session(scope, work.connection_id, priority="decision", delivery_id=work.id, hold=hold) as session:
            return await action.perform(session, decision, dict(work.steps), save)

    async def _give_back(self, scope: Scope, work: Work) -> None:
        """A worker that stops hands its work over at once."""
        async with transaction(scope):
            await self._hold_quote(scope, work)
            if await repository.release(scope, work):
                await self._moved(scope, work, work.revision + 1, DeliveryStatus.QUEUED)

    async def _settle_error(self, scope: Scope, work: Work, error: Exception) -> None:
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, NotApplied):
            await self._not_applied(scope, work, error)
        elif isinstance(error, RequestRejected):
            await self._fail(scope, work, error)
        elif isinstance(error, HubError):
            await self._try_later(scope, work, error)
        else:
            _log.exception("delivery failed unexpectedly", delivery_id=str(work.id), exc_info=error)
            await self._try_later(scope, work, UnexpectedError())

    async def _confirm(self, scope: Scope, work: Work, confirmation: Confirmation) -> None:
        shown = {"external_id": confirmation.external_id, "status": confirmation.status, **confirmation.details}
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.CONFIRMED, confirmation=shown)

    async def _not_applied(self, scope: Scope, work: Work, error: NotApplied) -> None:
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.NOT_APPLIED, error=error)
            await self.outcomes.not_applied(scope, work, error.found)

    async def _fail(self, scope: Scope, work: Work, error: HubError) -> None:
        subject, body = texts.failed(self._title(work), work.action, error.message, await self._console_url(scope, work))
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.FAILED, error=error)
            await self.mail.tell_operators(scope, subject=subject, body=body, purpose=f"delivery.failed:{work.id}")

    async def _finish(self, scope: Scope, work: Work, status: DeliveryStatus, **what: Any) -> None:
        """The last word, the feed's and the audit log's; raises LeaseLost when it is not ours to say."""
        await self._hold_quote(scope, work)
        revision = await repository.finish(scope, work, status, **what)
        if revision is None:
            raise LeaseLost
        error: HubError | None = what.get("error")
        data = {
            "action": work.action,
            "decision_id": work.decision_id,
            "attempts": work.attempts,
            "error": error.message if error else None,
        }
        await self._moved(scope, work, revision, status)
        await self.audit.add(system_actor(scope.organization_id), f"delivery.{status}", work.id, data)

    async def _try_later(self, scope: Scope, work: Work, error: HubError) -> None:
        later = next_attempt(error, attempts=work.attempts, faults=work.faults)
        if later is None:
            await self._fail(scope, work, error)
            return
        url = await self._console_url(scope, work)
        async with transaction(scope):
            await self._hold_quote(scope, work)
            row = await repository.postpone(scope, work, later, error)
            if row is None:
                raise LeaseLost
            await self._moved(scope, work, row["revision"], DeliveryStatus.QUEUED)
            if row["failing_for"] >= TELL_OPERATORS_SECONDS and not row["told"]:
                subject, body = texts.waiting(self._title(work), work.action, error.message, int(row["failing_for"] // 60), url)
                await self.mail.tell_operators(scope, subject=subject, body=body, purpose=f"delivery.waiting:{work.id}")
                await repository.note_told(scope, work.id)
        if isinstance(error, CredentialsRefused | AddressRefused):
            await self.mark_needs_attention(scope, work.connection_id, error)
        await self.queue.ring("deliver", scope.organization_id, work.id, attempt=work.attempts, delay=later.seconds)

    async def _hold_quote(self, scope: Scope, work: Work) -> None:
        if work.quote_id is not None:
            await self.outcomes.lock(scope, work.quote_id)

    async def _moved(self, scope: Scope, work: Work, revision: int, status: DeliveryStatus) -> None:
        await self._tell(scope, work.id, revision, status, work.client_id)
        if work.quote_id is not None:
            await self.outcomes.moved(scope, work.quote_id, status)

    async def _tell(self, scope: Scope, delivery_id: UUID, revision: int, status: DeliveryStatus, client_id: UUID | None) -> None:
        data = {"status": status}
        await self.feed.publish(scope, topic="delivery", subject_id=delivery_id, revision=revision, data=data, client_id=client_id)

    def _title(self, work: Work) -> str:
        return self.titles.get(work.provider, work.provider)

    async def _console_url(self, scope: Scope, work: Work) -> str:
        slug = await repository.slug(scope)
        return f"{self.public_url}/console/{slug}/quotes/{work.quote_id}"

    async def retry(self, actor: Actor, delivery_id: UUID, *, idempotency_key: str | None = None) -> Delivery:
        """Send a failed or waiting delivery now. Raises DeliverySettled for one that is over, DeliveryNotFound."""
        actor.require(Permission.RUN_SYNCS)
        async with once(actor, "retry_delivery", idempotency_key, {"delivery_id": delivery_id}) as call:
            found = await self.delivery(actor, delivery_id)
            if not call.repeated:
                found = await self._queue_again(actor, found)
                call.result = {"id": str(delivery_id)}
        return found

    async def _queue_again(self, actor: Actor, found: Delivery) -> Delivery:
        if found.quote_id is not None:
            await self.outcomes.lock(actor.scope, found.quote_id)
        if not await repository.queue_again(actor.scope, found.id):
            raise DeliverySettled
        queued = await self.delivery(actor, found.id)
        await self._tell(actor.scope, found.id, queued.revision, DeliveryStatus.QUEUED, found.client_id)
        if found.quote_id is not None:
            await self.outcomes.moved(actor.scope, found.quote_id, DeliveryStatus.QUEUED)
        await self.audit.add(actor, "delivery.retried", found.id, {"error": found.error_message})
        ring = self.queue.ring
        after_commit(lambda: ring("deliver", actor.organization_id, found.id, attempt=-queued.revision))
        return queued

    async def hurry(self, scope: Scope, connection_id: UUID) -> int:
        """A connection works again: what waits for it is sent now. Says how many."""
        async with transaction(scope):
            hurried = await repository.hurry(scope, connection_id)
        for delivery_id, attempts in hurried:
            await self.queue.ring("deliver", scope.organization_id, delivery_id, attempt=-attempts)
        return len(hurried)
