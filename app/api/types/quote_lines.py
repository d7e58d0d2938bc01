"""Lines of quotes and how they change, as GraphQL shows them."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Self
from uuid import UUID

import strawberry

from app.actors import Permission
from app.api.enums import enum
from app.api.ids import id_text
from app.api.reads import sources as reads
from app.api.reads.sources import Expression, Shape, Source
from app.api.types.scalars import Money, money
from app.quotes import models


@enum(
    "What was decided on a line.",
    PENDING="Nothing yet.",
    APPROVED="It is wanted.",
    REJECTED="It is not wanted.",
)
class LineDecision(Enum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@enum(
    "How a line differs between two versions.",
    ADDED="The line is new.",
    REMOVED="The line is gone.",
    CHANGED="The line says something else.",
)
class ChangeKind(Enum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@strawberry.type(description="A line of a quote as it was seen: what, how many, for how much.")
class QuotedLine:
    external_id: str = strawberry.field(description="The provider's id.")
    description: str = strawberry.field(description="What is offered.")
    quantity: Decimal = strawberry.field(description="How many.")
    unit_price: Money = strawberry.field(description="The price of one, before tax, with the provider's digits.")
    tax_rate: Decimal = strawberry.field(description="The tax rate in percent.")
    amount: Money = strawberry.field(description="Quantity times unit price, before tax.")
    tax: Money = strawberry.field(description="The tax on the amount.")
    total: Money = strawberry.field(description="Amount and tax.")

    @classmethod
    def seen(cls, line: models.ContentLine | models.DecisionLine | models.QuoteLine, currency: str) -> "QuotedLine":
        return QuotedLine(
            external_id=line.external_id,
            description=line.description,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_price, currency=currency),
            tax_rate=line.tax_rate,
            amount=Money(amount=line.amount, currency=currency),
            tax=Money(amount=line.tax, currency=currency),
            total=Money(amount=line.total, currency=currency),
        )


@strawberry.type(description="A line of a quote, and what was decided on it.")
class QuoteLine(QuotedLine):
    line_id: strawberry.Private[UUID]
    decision: LineDecision = strawberry.field(description="What was decided on it.")
    reason: str | None = strawberry.field(description="Why it is not wanted.")

    @strawberry.field(description="Its id, for `approveQuote` and `rejectQuote`.")
    def id(self) -> strawberry.ID:
        return id_text("QuoteLine", self.line_id)

    @classmethod
    def of(cls, line: models.QuoteLine | models.DecisionLine, currency: str) -> Self:
        return cls(
            **vars(QuotedLine.seen(line, currency)),
            line_id=line.id,
            decision=LineDecision(line.decision.value),
            reason=line.reason,
        )


@strawberry.type(description="One side of a comparison of lines; amounts are in the quote's currency.")
class ComparedLine:
    description: str = strawberry.field(description="What is offered.")
    quantity: Decimal = strawberry.field(description="How many.")
    unit_price: Decimal = strawberry.field(description="The price of one, before tax.")
    tax_rate: Decimal = strawberry.field(description="The tax rate in percent.")
    total: Decimal = strawberry.field(description="Quantity times unit price, tax included.")

    @classmethod
    def of(cls, line: models.ContentLine) -> Self:
        return cls(
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax_rate=line.tax_rate,
            total=line.total,
        )


@strawberry.type(description="How one line changed from one version of a quote to another.")
class QuoteLineChange:
    kind: ChangeKind = strawberry.field(description="How it differs.")
    description: str = strawberry.field(description="What the line offers.")
    old: ComparedLine | None = strawberry.field(description="The line before; null for a new one.")
    new: ComparedLine | None = strawberry.field(description="The line now; null for one that is gone.")

    @classmethod
    def of(cls, change: models.LineChange) -> Self:
        return cls(
            kind=ChangeKind(change.kind.value),
            description=change.description,
            old=None if change.old is None else ComparedLine.of(change.old),
            new=None if change.new is None else ComparedLine.of(change.new),
        )


@strawberry.type(description="Something else of a quote that changed from one version to another.")
class QuoteFieldChange:
    name: str = strawberry.field(description="title, currency or total.")
    old: str = strawberry.field(description="What it was.")
    new: str = strawberry.field(description="What it is.")


def line_fields(column: Callable[[str], Expression], currency: str) -> dict[str, Source]:
    """The sources of a line whose values `column` finds, by the model's names."""
    amounts: dict[str, Source] = {
        name: money(column(name).sql, currency, is_text=column(name).is_text) for name in ("unit_price", "amount", "tax", "total")
    }
    return amounts | {name: column(name) for name in ("external_id", "description", "quantity", "tax_rate")}


reads.declare(
    "QuoteLine",
    Shape(
        {"id": reads.global_id("QuoteLine"), **line_fields(reads.column, "{parent}.currency")},
        table="quote_line",
        permission=Permission.READ_QUOTES,
        by_client=True,
    ),
)
# The lines of a decision are kept in it as they were decided, the client's proof.
DECIDED_LINE = Shape(
    {
        "id": reads.global_id("QuoteLine", "({row}.data ->> 'id')"),
        "decision": reads.json_text("decision"),
        "reason": reads.json_text("reason"),
        **line_fields(reads.json_text, "{parent}.currency"),
    }
)
