"""Quotes, their lines and decisions, as GraphQL shows them."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry import relay

from app.actors import Permission
from app.api.context import Info
from app.api.enums import enum
from app.api.ids import id_text
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Items, Many, One, Shape
from app.api.types.connections import Connection
from app.api.types.deliveries import PROVIDER_TITLE, Delivery
from app.api.types.quote_lines import DECIDED_LINE, QuotedLine, QuoteLine, line_fields
from app.api.types.scalars import Money, money
from app.quotes import models, repository

if TYPE_CHECKING:
    from app.api.types.clients import Client


@enum(
    "Where a quote stands.",
    OPEN="It can be decided.",
    APPROVED="All of its lines were approved.",
    PARTIALLY_APPROVED="Some of its lines were approved.",
    REJECTED="It was declined.",
    EXPIRED="It was open for too long.",
    WITHDRAWN="It is no longer a quote at its provider.",
)
class QuoteStatus(Enum):
    OPEN = "open"
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@enum(
    "What a decision says.",
    APPROVED="All lines are wanted.",
    PARTIALLY_APPROVED="Some lines are wanted.",
    REJECTED="No line is wanted.",
)
class DecisionOutcome(Enum):
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    REJECTED = "rejected"


@strawberry.type(description="Sums over some lines of a quote, computed and rounded by the hub.")
class QuoteTotals:
    chosen: int = strawberry.field(description="How many lines are summed up.")
    of_lines: int = strawberry.field(description="How many lines the quote has.")
    subtotal: Money = strawberry.field(description="Before tax.")
    tax: Money = strawberry.field(description="The tax.")
    total: Money = strawberry.field(description="Tax included.")

    @classmethod
    def of(cls, totals: models.Totals) -> Self:
        return cls(
            chosen=totals.chosen,
            of_lines=totals.of,
            subtotal=Money(amount=totals.subtotal, currency=totals.currency),
            tax=Money(amount=totals.tax, currency=totals.currency),
            total=Money(amount=totals.total, currency=totals.currency),
        )


@strawberry.type(description="A client's answer to a quote. One that was not applied is superseded and kept.")
class Decision:
    decision_id: strawberry.Private[UUID]
    quote_version: int = strawberry.field(description="The version of the quote that it answers.")
    outcome: DecisionOutcome = strawberry.field(description="What it says.")
    lines: list[QuoteLine] = strawberry.field(description="Every line as it was decided.")
    approved_subtotal: Money = strawberry.field(description="What was approved, before tax.")
    approved_tax: Money = strawberry.field(description="The tax on what was approved.")
    approved_total: Money = strawberry.field(description="What was approved, tax included.")
    reason: str | None = strawberry.field(description="Why it was declined.")
    note: str | None = strawberry.field(description="A note of the client.")
    purchase_order: str | None = strawberry.field(description="The client's own number for the order.")
    signature_name: str | None = strawberry.field(description="The name that was typed as signature.")
    terms: str = strawberry.field(description="The terms in full, as they were accepted.")
    decided_by: str = strawberry.field(description="The name of whoever decided.")
    decided_at: datetime = strawberry.field(description="When it was decided.")
    superseded_at: datetime | None = strawberry.field(description="When it stopped counting, because it could not be applied.")
    superseded_reason: str | None = strawberry.field(description="Why it stopped counting.")

    @strawberry.field(description="Its id.")
    def id(self) -> strawberry.ID:
        return id_text("Decision", self.decision_id)

    @classmethod
    def of(cls, decision: models.Decision) -> Self:
        return cls(
            decision_id=decision.id,
            quote_version=decision.quote_version,
            outcome=DecisionOutcome(decision.outcome.value),
            lines=[QuoteLine.of(line, decision.currency) for line in decision.lines],
            approved_subtotal=Money(amount=decision.approved_subtotal, currency=decision.currency),
            approved_tax=Money(amount=decision.approved_tax, currency=decision.currency),
            approved_total=Money(amount=decision.approved_total, currency=decision.currency),
            reason=decision.reason,
            note=decision.note,
            purchase_order=decision.purchase_order,
            signature_name=decision.signature_name,
            terms=decision.terms,
            decided_by=str(decision.decided_by.get("name", "")),
            decided_at=decision.decided_at,
            superseded_at=decision.superseded_at,
            superseded_reason=decision.superseded_reason,
        )


@strawberry.type(description="What could be seen of a quote at one version.")
class QuoteVersion:
    version: int = strawberry.field(description="Which version.")
    title: str = strawberry.field(description="What was offered.")
    lines: list[QuotedLine] = strawberry.field(description="The lines, in order.")
    total: Money = strawberry.field(description="The sum, tax included.")
    created_at: datetime = strawberry.field(description="When the hub first saw it.")

    @classmethod
    def of(cls, seen: models.QuoteVersion) -> Self:
        return cls(
            version=seen.version,
            title=seen.content.title,
            lines=[QuotedLine.seen(line, seen.content.currency) for line in seen.content.lines],
            total=Money(amount=seen.content.total, currency=seen.content.currency),
            created_at=seen.created_at,
        )


@strawberry.type(description="An offer from a provider that a client decides on.")
class Quote(relay.Node):
    uuid: relay.NodeID[UUID]
    client_id: strawberry.Private[UUID | None]
    connection_id: strawberry.Private[UUID]
    whole: strawberry.Private[models.Quote | None]
    """With everything about it, where it was read so."""
    provider_title: str = strawberry.field(description="What people call the provider that it comes from.")
    external_id: str = strawberry.field(description="The provider's id.")
    contact_external_id: str | None = strawberry.field(description="The provider's id of the contact that it is for.")
    contact_name: str = strawberry.field(description="The name of the contact that it is for.")
    number: str = strawberry.field(description="The number that people see.")
    title: str = strawberry.field(description="What is offered.")
    site_address: str = strawberry.field(description="Where the work is to be done.")
    status: QuoteStatus = strawberry.field(description="Where it stands.")
    version: int = strawberry.field(description="Counts up whenever what a client sees changes; a decision names the one that it saw.")
    subtotal: Money = strawberry.field(description="The sum of its lines, before tax.")
    tax: Money = strawberry.field(description="The tax.")
    total: Money = strawberry.field(description="The sum, tax included.")
    issued_at: datetime | None = strawberry.field(description="When it was made.")
    valid_until: datetime | None = strawberry.field(description="Until when it can be decided, by the hub's clock.")
    reopened_reason: str | None = strawberry.field(description="Why it is open again after a decision that was not applied.")
    revision: int = strawberry.field(description="Counts up with every change of it, of its decision's delivery too.")
    created_at: datetime = strawberry.field(description="When the hub first saw it.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="Its lines, in order.")
    async def lines(self, info: Info) -> list[QuoteLine]:
        lines = await info.context.loaders.quote_lines.load(self.uuid) if self.whole is None else self.whole.lines
        return [QuoteLine.of(line, self.total.currency) for line in lines or ()]

    @strawberry.field(description="The decision that counts; null while there is none.")
    async def decision(self, info: Info) -> Decision | None:
        standing = [decision for decision in await self._decisions(info) if decision.superseded_at is None]
        return Decision.of(standing[0]) if standing else None

    @strawberry.field(description="Decisions that were not applied and so stopped counting, latest first.")
    async def superseded_decisions(self, info: Info) -> list[Decision]:
        return [Decision.of(decision) for decision in await self._decisions(info) if decision.superseded_at is not None]

    async def _decisions(self, info: Info) -> Sequence[models.Decision]:
        if self.whole is None:
            return await info.context.loaders.quote_decisions.load(self.uuid) or ()
        return [*([self.whole.decision] if self.whole.decision else []), *self.whole.history]

    @strawberry.field(description="What could be seen of it, latest version first.")
    async def versions(self, info: Info) -> list[QuoteVersion]:
        versions = await info.context.loaders.quote_versions.load(self.uuid) if self.whole is None else self.whole.versions
        return [QuoteVersion.of(version) for version in versions or ()]

    @strawberry.field(description="What became of the latest decision at the provider.")
    async def delivery(self, info: Info) -> Delivery | None:
        if self.whole is None:
            return await info.context.loaders.quote_delivery.load(self.uuid)
        return Delivery.of(self.whole.delivery) if self.whole.delivery else None

    @strawberry.field(description="The connection that it comes from. A client's contact does not see connections.")
    async def connection(self, info: Info) -> Connection | None:
        return await info.context.loaders.connection.load(self.connection_id)

    @strawberry.field(description="The client that it is for; null while nobody of that contact was invited.")
    async def client(self, info: Info) -> Annotated["Client", strawberry.lazy("app.api.types.clients")] | None:
        return None if self.client_id is None else await info.context.loaders.client.load(self.client_id)

    @classmethod
    def of(cls, quote: models.Quote, *, whole: bool = False) -> Self:
        return cls(
            uuid=quote.id,
            whole=quote if whole else None,
            client_id=quote.client_id,
            connection_id=quote.connection_id,
            provider_title=quote.provider_title,
            external_id=quote.external_id,
            contact_external_id=quote.contact_external_id,
            contact_name=quote.contact_name,
            number=quote.number,
            title=quote.title,
            site_address=quote.site_address,
            status=QuoteStatus(quote.status.value),
            version=quote.version,
            subtotal=Money(amount=quote.subtotal, currency=quote.currency),
            tax=Money(amount=quote.tax, currency=quote.currency),
            total=Money(amount=quote.total, currency=quote.currency),
            issued_at=quote.issued_at,
            valid_until=quote.valid_until,
            reopened_reason=quote.reopened_reason,
            revision=quote.revision,
            created_at=quote.created_at,
            updated_at=quote.updated_at,
        )


def _decision(superseded: str) -> str:
    return f"{{item}}.quote_id = {{row}}.id AND {{item}}.superseded_at IS {superseded}"


reads.declare(
    "Decision",
    Shape(
        {
            "id": reads.global_id("Decision"),
            "lines": Items(DECIDED_LINE, "{row}.lines"),
            "decided_by": reads.json_text("name", column="decided_by", default=""),
            **{f"approved_{name}": money(f"{{row}}.approved_{name}", "{row}.currency") for name in ("subtotal", "tax", "total")},
        },
        table="quote_decision",
        permission=Permission.READ_QUOTES,
        by_client=True,
    ),
)
_CURRENCY_THEN = "({row}.content ->> 'currency')"
reads.declare(
    "QuoteVersion",
    Shape(
        {
            "title": reads.json_text("title", column="content"),
            "lines": Items(Shape(line_fields(reads.json_text, "({parent}.content ->> 'currency')")), "{row}.content -> 'lines'"),
            "total": money("({row}.content ->> 'total')", _CURRENCY_THEN, is_text=True),
        },
        table="quote_version",
        permission=Permission.READ_QUOTES,
        by_client=True,
    ),
)
reads.declare(
    "Quote",
    Shape(
        {
            "id": reads.global_id("Quote"),
            "provider_title": PROVIDER_TITLE,
            "status": Expression(repository.STATUS.format(quote="{row}", now="{now}")),
            "lines": Many("QuoteLine", "{item}.quote_id = {row}.id", "{item}.position, {item}.external_id"),
            "decision": One("Decision", _decision("NULL"), "{item}.id DESC"),
            "superseded_decisions": Many("Decision", _decision("NOT NULL"), "{item}.id DESC"),
            "versions": Many("QuoteVersion", "{item}.quote_id = {row}.id", "{item}.version DESC"),
            "delivery": One("Delivery", "{item}.quote_id = {row}.id", "{item}.id DESC"),
            "connection": One("Connection", "{item}.id = {row}.connection_id"),
            "client": One("Client", "{item}.id = {row}.client_id"),
            **{name: money(f"{{row}}.{name}", "{row}.currency") for name in ("subtotal", "tax", "total")},
        },
        table="quote",
        permission=Permission.READ_QUOTES,
        by_client=True,
    ),
)
