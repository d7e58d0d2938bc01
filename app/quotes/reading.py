"""Reading quotes: one with everything about it, lists, and parts of many by the quotes' ids."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.paging import PageRequest, ResultPage
from app.quotes import decision_store, repository, rules
from app.quotes.content import line_changes
from app.quotes.models import Decision, LineChange, Quote, QuoteLine, QuoteStatus, QuoteVersion, Receipt, Totals
from app.quotes.refusals import DecisionNotFound, QuoteNotFound
from app.quotes.repository import Filter


class QuoteReading:
    """The part of the quote service that changes nothing."""

    def __init__(self, *, titles: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self.titles = titles
        self.now = now

    async def quotes(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        status: QuoteStatus | None = None,
        contact_external_id: str | None = None,
        connection_id: UUID | None = None,
        client_id: UUID | None = None,
        oldest_first: bool = False,
    ) -> ResultPage[Quote]:
        """The newest first (or the oldest), without lines and decisions: ask for these by the quotes' ids."""
        actor.require(Permission.READ_QUOTES)
        chosen = Filter(status, contact_external_id, connection_id, client_id)
        found = await repository.page(
            actor.scope,
            chosen,
            first=page.first,
            after=page.key(UUID),
            now=self.now(),
            titles=self.titles,
            oldest_first=oldest_first,
        )
        return ResultPage.cut(found, page.first, lambda quote: quote.id)

    async def count(
        self,
        actor: Actor,
        *,
        status: QuoteStatus | None = None,
        contact_external_id: str | None = None,
        connection_id: UUID | None = None,
        client_id: UUID | None = None,
    ) -> int:
        """How many quotes there are."""
        actor.require(Permission.READ_QUOTES)
        return await repository.count(actor.scope, Filter(status, contact_external_id, connection_id, client_id), now=self.now())

    async def quote(self, actor: Actor, quote_id: UUID) -> Quote:
        """A quote with everything about it. Raises QuoteNotFound."""
        actor.require(Permission.READ_QUOTES)
        return await self._quote(actor.scope, quote_id)

    async def get_many(self, actor: Actor, quote_ids: Sequence[UUID]) -> list[Quote]:
        """Those of the quotes that exist, in any order and without lines and decisions."""
        actor.require(Permission.READ_QUOTES)
        return await repository.get_many(actor.scope, quote_ids, now=self.now(), titles=self.titles)

    async def lines_of(self, actor: Actor, quote_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[QuoteLine]]:
        """The lines of several quotes, in their order."""
        actor.require(Permission.READ_QUOTES)
        return await repository.lines_of(actor.scope, quote_ids)

    async def decisions_of(self, actor: Actor, quote_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Decision]]:
        """All decisions on several quotes, latest first; the one that stands has no `superseded_at`."""
        actor.require(Permission.READ_QUOTES)
        return await decision_store.of_quotes(actor.scope, quote_ids)

    async def versions_of(self, actor: Actor, quote_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[QuoteVersion]]:
        """What could be seen of several quotes, latest version first."""
        actor.require(Permission.READ_QUOTES)
        return await repository.versions_of(actor.scope, quote_ids)

    async def totals(self, actor: Actor, quote_id: UUID, line_ids: Sequence[UUID]) -> Totals:
        """The sums of the chosen lines. Raises QuoteNotFound, LinesInvalid."""
        actor.require(Permission.READ_QUOTES)
        return rules.totals(await self._quote(actor.scope, quote_id), line_ids)

    async def changes_since(self, actor: Actor, quote_id: UUID, version: int) -> tuple[LineChange, ...]:
        """What changed in a quote since a version that was seen. Raises QuoteNotFound."""
        quote = await self.quote(actor, quote_id)
        return _changes_between(quote, version)

    async def receipt(self, actor: Actor, decision_id: UUID) -> Receipt:
        """The proof of a decision, superseded or not. Raises DecisionNotFound."""
        actor.require(Permission.READ_QUOTES)
        decision = await decision_store.get(actor.scope, decision_id)
        if decision is None:
            raise DecisionNotFound
        quote = await self._quote(actor.scope, decision.quote_id)
        name, _, _ = await repository.organization(actor.scope)
        return Receipt(name, quote, decision, await decision_store.delivery_of(actor.scope, decision_id, self.titles))

    async def _quote(self, scope: Scope, quote_id: UUID) -> Quote:
        quote = await repository.get(scope, quote_id, now=self.now(), titles=self.titles)
        if quote is None:
            raise QuoteNotFound
        return _with_changes(quote)


def _with_changes(quote: Quote) -> Quote:
    """A quote that is open again says what changed since it was decided."""
    if quote.reopened_reason is None or not quote.history:
        return quote
    return replace(quote, changes=_changes_between(quote, quote.history[0].quote_version))


def _changes_between(quote: Quote, version: int) -> tuple[LineChange, ...]:
    contents = {seen.version: seen.content for seen in quote.versions}
    if version not in contents or quote.version not in contents:
        return ()
    return line_changes(contents[version], contents[quote.version])
