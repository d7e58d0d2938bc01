"""The outbox of decisions: written in the transaction that decides, sent by a worker, until the provider confirms."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from uuid import UUID

import msgspec

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.connectors.base import Action, Confirmation, Connector, QuoteDecision, Session, Steps
from app.connectors.errors import NotApplied
from app.connectors.hold import Hold, now
from app.database import after_commit, transaction
from app.deliveries import repository
from app.deliveries.endings import Endings, MarkNeedsAttention, Operators, Outcomes
from app.deliveries.lease import while_held
from app.deliveries.models import Delivery, DeliveryStatus, Waiting, Work
from app.deliveries.reading import DeliveryNotFound, DeliveryReading
from app.deliveries.rules import AT_ONCE, UnexpectedError
from app.errors import LeaseLost, Refusal
from app.feed.service import FeedService
from app.idempotency import once
from app.ids import new_id
from app.queue import JobQueue

__all__ = ["DeliveryNotFound", "DeliveryService", "DeliverySettled", "Operators", "Outcomes"]

OpenSession = Callable[..., AbstractAsyncContextManager[Session]]
"""ConnectionService.open_session"""
Room = Callable[[Scope, UUID, str, int, int], Awaitable[int]]
"""SessionFactory.room: of connection, provider, requests of one decision, how many at most."""

_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between the tries to take a delivery while another one of its connection is just being taken."""


class LineBusy(Exception):
    """Another delivery of the connection is just being taken in hand."""


class DeliverySettled(Refusal):
    """This delivery cannot be sent again: it has arrived, or something newer has taken its place."""

    code = "delivery_settled"


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
        self.outcomes = outcomes
        self.audit = audit
        self.queue = queue
        self.lease_seconds = lease_seconds
        self._endings = Endings(
            titles=self.titles,
            mark_needs_attention=mark_needs_attention,
            outcomes=outcomes,
            audit=audit,
            feed=feed,
            queue=queue,
            mail=mail,
            public_url=public_url,
        )

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
        await self._endings.tell(scope, delivery_id, 1, DeliveryStatus.QUEUED, client_id)
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
                await self._endings.give_back(scope, work)
            raise
        except Exception as error:
            with suppress(LeaseLost):
                await self._endings.settle_error(scope, work, error)
        else:
            with suppress(LeaseLost):
                await self._endings.confirm(scope, work, confirmation)
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
                await self._endings.moved(scope, work, work.revision, DeliveryStatus.SENDING)
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
            raise NotApplied(f"The quote had changed in {self._endings.title(work)} before the decision was sent.")
        decision = msgspec.convert(work.payload, QuoteDecision)
        async with self.open_session(scope, work.connection_id, priority="decision", delivery_id=work.id, hold=hold) as session:
            return await action.perform(session, decision, dict(work.steps), save)

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
        await self._endings.tell(actor.scope, found.id, queued.revision, DeliveryStatus.QUEUED, found.client_id)
        if found.quote_id is not None:
            await self.outcomes.moved(actor.scope, found.quote_id, DeliveryStatus.QUEUED)
        await self.audit.add(actor, "delivery.retried", found.id, {"error": found.error_message})
        ring, bell = self.queue.ring, _bell(found.record_id)
        after_commit(lambda: ring(bell, actor.organization_id, found.id, attempt=-queued.revision))
        return queued

    async def hurry(self, scope: Scope, connection_id: UUID) -> int:
        """A connection works again: what waits for it is sent now. Says how many."""
        async with transaction(scope):
            hurried = await repository.hurry(scope, connection_id)
        for one in hurried:
            await self.queue.ring(_bell(one.record_id), scope.organization_id, one.id, attempt=-one.attempts)
        return len(hurried)


def _bell(record_id: UUID | None) -> str:
    """The job that sends a delivery: a decision's has a lane of its own."""
    return "deliver" if record_id is None else "push_record"
