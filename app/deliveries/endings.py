"""What an attempt to deliver a decision comes to, and who is told: the quote, the feed, the audit log, the operators."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

import structlog

from app.actors import Scope, system_actor
from app.audit.service import AuditService
from app.connectors.base import Confirmation
from app.connectors.errors import AddressRefused, CredentialsRefused, NotApplied, RequestRejected
from app.database import transaction
from app.deliveries import repository, texts
from app.deliveries.models import DeliveryStatus, Work
from app.deliveries.rules import TELL_OPERATORS_SECONDS, UnexpectedError, next_attempt
from app.errors import HubError, LeaseLost
from app.feed.service import FeedService
from app.queue import JobQueue

_log = structlog.get_logger(__name__)

MarkNeedsAttention = Callable[[Scope, UUID, HubError], Any]
"""ConnectionService.mark_needs_attention; tells the operators."""


class Outcomes(Protocol):
    """What a feature does about the deliveries of its decisions, inside the delivery's transaction (app/quotes/outcomes.py)."""

    async def lock(self, scope: Scope, quote_id: UUID) -> None: ...

    async def moved(self, scope: Scope, quote_id: UUID, status: str) -> None: ...

    async def not_applied(self, scope: Scope, work: Work, found: Mapping[str, Any]) -> None: ...

    async def is_current(self, scope: Scope, work: Work) -> bool: ...


class Operators(Protocol):
    """What is needed of app/mail."""

    async def tell_operators(self, scope: Scope, *, subject: str, body: str, purpose: str) -> object: ...


class Endings:
    """Ends an attempt, for good or until the next one, in one transaction with all that follows from it."""

    def __init__(
        self,
        *,
        titles: Mapping[str, str],
        mark_needs_attention: MarkNeedsAttention,
        outcomes: Outcomes,
        audit: AuditService,
        feed: FeedService,
        queue: JobQueue,
        mail: Operators,
        public_url: str,
    ) -> None:
        self._titles = titles
        self._mark_needs_attention = mark_needs_attention
        self._outcomes = outcomes
        self._audit = audit
        self._feed = feed
        self._queue = queue
        self._mail = mail
        self._public_url = public_url.rstrip("/")

    async def give_back(self, scope: Scope, work: Work) -> None:
        """A worker that stops hands its work over at once."""
        async with transaction(scope):
            await self._hold_quote(scope, work)
            if await repository.release(scope, work):
                await self.moved(scope, work, work.revision + 1, DeliveryStatus.QUEUED)

    async def settle_error(self, scope: Scope, work: Work, error: Exception) -> None:
        """Fail for good, or wait for another attempt. Raises LeaseLost."""
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

    async def confirm(self, scope: Scope, work: Work, confirmation: Confirmation) -> None:
        """The provider shows it. Raises LeaseLost."""
        shown = {"external_id": confirmation.external_id, "status": confirmation.status, **confirmation.details}
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.CONFIRMED, confirmation=shown)

    async def _not_applied(self, scope: Scope, work: Work, error: NotApplied) -> None:
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.NOT_APPLIED, error=error)
            await self._outcomes.not_applied(scope, work, error.found)

    async def _fail(self, scope: Scope, work: Work, error: HubError) -> None:
        subject, body = texts.failed(self.title(work), work.action, error.message, await self._console_url(scope, work))
        async with transaction(scope):
            await self._finish(scope, work, DeliveryStatus.FAILED, error=error)
            await self._mail.tell_operators(scope, subject=subject, body=body, purpose=f"delivery.failed:{work.id}")

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
        await self.moved(scope, work, revision, status)
        await self._audit.add(system_actor(scope.organization_id), f"delivery.{status}", work.id, data)

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
            await self.moved(scope, work, row["revision"], DeliveryStatus.QUEUED)
            if row["failing_for"] >= TELL_OPERATORS_SECONDS and not row["told"]:
                subject, body = texts.waiting(self.title(work), work.action, error.message, int(row["failing_for"] // 60), url)
                await self._mail.tell_operators(scope, subject=subject, body=body, purpose=f"delivery.waiting:{work.id}")
                await repository.note_told(scope, work.id)
        if isinstance(error, CredentialsRefused | AddressRefused):
            await self._mark_needs_attention(scope, work.connection_id, error)
        await self._queue.ring("deliver", scope.organization_id, work.id, attempt=work.attempts, delay=later.seconds)

    async def _hold_quote(self, scope: Scope, work: Work) -> None:
        if work.quote_id is not None:
            await self._outcomes.lock(scope, work.quote_id)

    async def moved(self, scope: Scope, work: Work, revision: int, status: DeliveryStatus) -> None:
        """Say how far it has got: to whoever follows it, and to its quote."""
        await self.tell(scope, work.id, revision, status, work.client_id)
        if work.quote_id is not None:
            await self._outcomes.moved(scope, work.quote_id, status)

    async def tell(self, scope: Scope, delivery_id: UUID, revision: int, status: DeliveryStatus, client_id: UUID | None) -> None:
        data = {"status": status}
        await self._feed.publish(scope, topic="delivery", subject_id=delivery_id, revision=revision, data=data, client_id=client_id)

    def title(self, work: Work) -> str:
        return self._titles.get(work.provider, work.provider)

    async def _console_url(self, scope: Scope, work: Work) -> str:
        slug = await repository.slug(scope)
        return f"{self._public_url}/console/{slug}/quotes/{work.quote_id}"
