"""What becomes of a quote when its decision has been sent: confirmed, refused, or overtaken by a change at the provider."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.actors import Scope, system_actor
from app.audit.service import AuditService
from app.deliveries.models import Work
from app.feed.service import FeedService
from app.quotes import client_store, decision_store, repository, texts
from app.quotes import projection_store as store
from app.quotes.client_store import Contact
from app.quotes.content import ContentInvalid, Projected, content_hash, project
from app.quotes.found import found_content, found_status
from app.quotes.models import Content, Decision, Quote, QuoteStatus
from app.quotes.transitions import QUOTE


class Mailer(Protocol):
    """What is needed of app/mail."""

    async def add(self, scope: Scope, *, recipient: str, subject: str, body: str, purpose: str) -> object: ...

    async def tell_operators(self, scope: Scope, *, subject: str, body: str, purpose: str) -> object: ...


class DecisionOutcomes:
    """Keeps quotes in step with the deliveries of their decisions. Every method runs inside the caller's transaction."""

    def __init__(
        self,
        audit: AuditService,
        feed: FeedService,
        mail: Mailer,
        *,
        titles: Mapping[str, str],
        public_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self.audit = audit
        self.feed = feed
        self.mail = mail
        self.titles = titles
        self.public_url = public_url.rstrip("/")
        self.now = now

    async def lock(self, scope: Scope, quote_id: UUID) -> None:
        """Hold the quote before its delivery is written to, as a decision does."""
        await repository.lock(scope, quote_id)

    async def moved(self, scope: Scope, quote_id: UUID, status: str) -> None:
        """The quote's delivery has another status: those who watch the quote look again."""
        event = await repository.touch(scope, quote_id)
        await self.feed.publish_many(scope, [replace(event, data={**event.data, "delivery": status})])

    async def is_current(self, scope: Scope, work: Work) -> bool:
        """Whether no sync has brought another content since the decision. Whether it still is a quote, its provider says."""
        quote = await self._quote(scope, work.quote_id) if work.quote_id else None
        if quote is None or quote.decision is None:
            return True
        data = await store.record_changed_since(scope, quote.id, quote.decision.decided_at)
        try:
            projected = None if data is None else project(data, quote.currency)
        except ContentInvalid:
            return False
        if projected is None or projected.provider_status != QUOTE:
            return True
        if projected.contact_external_id != quote.contact_external_id:
            return False
        return projected.content_hash == content_hash(await store.content(scope, quote.id, quote.version))

    async def not_applied(self, scope: Scope, work: Work, found: Mapping[str, Any]) -> None:
        """A fresh look at the provider showed another quote than the one that was decided."""
        if work.decision_id is not None:
            decision = await decision_store.get(scope, work.decision_id)
            if decision is not None and decision.superseded_at is None:
                await self.reopen(scope, decision, found)

    async def reopen(self, scope: Scope, decision: Decision, found: Mapping[str, Any]) -> None:
        """Keep the decision as superseded, open the quote with what is there now, and tell client and operators."""
        quote = await self._quote(scope, decision.quote_id)
        status = found_status(found, quote.provider_status)
        recorded, contact = await self._recorded(scope, quote)
        current = found_content(quote, recorded, found) if status == QUOTE else None
        if status == QUOTE:
            contact = found.get("contact_external_id", contact) or None
        moved = status == QUOTE and contact != quote.contact_external_id
        reason = (texts.MOVED if moved else texts.CHANGED if status == QUOTE else texts.GONE).format(provider=quote.provider_title)
        renewed = await self._supersede(scope, quote, decision, reason, status, current or recorded, contact)
        await self._tell(scope, quote if moved else renewed, decision, reason, moved=moved)

    async def take_back(self, scope: Scope, quote_id: UUID, projected: Projected) -> None:
        """Staff made it a quote again at the provider after our decision had been carried out there."""
        quote = await self._quote(scope, quote_id)
        if quote.decision is None:
            return
        reason = texts.TAKEN_BACK.format(provider=quote.provider_title)
        await self._supersede(scope, quote, quote.decision, reason, QUOTE, projected.content, projected.contact_external_id)
        head = {"number": projected.number, "site_address": projected.site_address, "issued_at": projected.issued_at}
        head |= {"valid_until": projected.valid_until}
        await repository.touch(scope, quote_id, **head)
        moved = projected.contact_external_id != quote.contact_external_id
        renewed = await self._quote(scope, quote_id)
        await self._tell(scope, quote if moved else renewed, quote.decision, reason, taken_back=True, moved=moved)

    async def _quote(self, scope: Scope, quote_id: UUID) -> Quote:
        quote = await repository.get(scope, quote_id, now=self.now(), titles=self.titles)
        if quote is None:
            raise RuntimeError("A decision without its quote.")
        return quote

    async def _supersede(
        self, scope: Scope, quote: Quote, decision: Decision, reason: str, status: str, current: Content, contact: str | None
    ) -> Quote:
        """What the client sees changes from the quote as it was decided to the quote as it is, as one new version."""
        await decision_store.supersede(scope, decision, reason=reason, at=self.now())
        given = await self._give(scope, quote, contact)
        await store.renew(scope, given, current)
        if given.client_id != quote.client_id:
            await client_store.move(scope, [(quote.id, given.client_id)])
        opened = QuoteStatus.OPEN if status == QUOTE else QuoteStatus.WITHDRAWN
        event = await repository.touch(scope, quote.id, status=opened, provider_status=status, reopened_reason=reason)
        await self.feed.publish_many(scope, [replace(event, data={**event.data, "reopened": True})])
        await self.audit.add(
            system_actor(scope.organization_id),
            "quote.reopened",
            quote.id,
            {"decision_id": decision.id, "reason": reason, "status": status},
        )
        return await self._quote(scope, quote.id)

    async def _give(self, scope: Scope, quote: Quote, contact: str | None) -> Quote:
        """Make a quote out to whom it is for now. What was decided on it stays with whom it was for."""
        if contact == quote.contact_external_id:
            return quote
        known = await client_store.contacts(scope, quote.connection_id, [contact] if contact else [])
        found = known.get(contact or "", Contact("", None))
        await repository.touch(scope, quote.id, contact_external_id=contact, contact_name=found.name, client_id=found.client_id)
        return replace(quote, contact_external_id=contact, contact_name=found.name, client_id=found.client_id)

    async def _recorded(self, scope: Scope, quote: Quote) -> tuple[Content, str | None]:
        """The job as it was last synced, and for which contact; the quote as it was decided where that cannot be read."""
        data = await store.record_data(scope, quote.id)
        try:
            projected = None if data is None else project(data, quote.currency)
        except ContentInvalid:
            projected = None
        if projected is None or projected.provider_status != QUOTE:
            return await store.content(scope, quote.id, quote.version), quote.contact_external_id
        return projected.content, projected.contact_external_id

    async def _tell(
        self, scope: Scope, quote: Quote, decision: Decision, reason: str, *, taken_back: bool = False, moved: bool = False
    ) -> None:
        name, slug, _ = await repository.organization(scope)
        subject, body = texts.reopened_for_operators(name, quote, decision, reason, f"{self.public_url}/console/{slug}/quotes/{quote.id}")
        purpose = f"quote.reopened:{decision.id}"
        await self.mail.tell_operators(scope, subject=subject, body=body, purpose=purpose)
        contact = await self._who_decided(scope, decision)
        if contact is None:
            return
        url = f"{self.public_url}/portal/{slug}/quotes/{quote.id}"
        if moved:
            subject, body = texts.moved_for_client(contact[0], name, quote, url.rpartition("/")[0])
        elif taken_back:
            subject, body = texts.taken_back_for_client(contact[0], name, quote, url)
        else:
            subject, body = texts.reopened_for_client(contact[0], name, quote, reason, url)
        await self.mail.add(scope, recipient=contact[1], subject=subject, body=body, purpose=purpose)

    async def _who_decided(self, scope: Scope, decision: Decision) -> tuple[str, str] | None:
        """Name and address of the client's contact who decided; None where it was one of the organization's own people."""
        if decision.decided_by.get("kind") != "client_contact" or not decision.decided_by.get("id"):
            return None
        return await decision_store.contact_address(scope, UUID(str(decision.decided_by["id"])))
