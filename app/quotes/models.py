"""What the quote service takes and returns. Amounts are rounded to the currency's exponent; unit prices are not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.deliveries.models import Delivery


class QuoteStatus(StrEnum):
    """Open until somebody decides, it expires, or it is no longer a quote at its provider (withdrawn)."""

    OPEN = "open"
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class LineDecision(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ConnectionRef:
    """The connection that a quote comes from, as far as the projection needs to know it."""

    id: UUID
    provider: str
    currency: str
    """ISO 4217, of the account."""
    time_zone: str = "UTC"
    """The account's, in which its days end."""


@dataclass(frozen=True, slots=True)
class ProjectionFailure:
    """A record that could not be shown as a quote; the record itself is stored."""

    external_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some lines of a quote."""

    currency: str
    chosen: int
    """How many lines are summed up."""
    of: int
    """How many lines the quote has."""
    subtotal: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class ContentLine:
    """A line as a client sees it."""

    external_id: str
    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    """Before tax, with the provider's digits."""
    tax_rate: Decimal
    """Percent."""
    amount: Decimal
    """Before tax."""
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Content:
    """What a client sees and decides on. Its hash tells versions apart."""

    title: str
    currency: str
    lines: tuple[ContentLine, ...]
    subtotal: Decimal
    tax: Decimal
    total: Decimal


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line before and after; `old` is None for an added line, `new` for a removed one."""

    external_id: str
    kind: ChangeKind
    description: str
    old: ContentLine | None
    new: ContentLine | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Something else that changed: title, currency or total."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line of a quote and what was decided on it."""

    id: UUID
    external_id: str
    position: int
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: Decimal
    tax: Decimal
    total: Decimal
    decision: LineDecision
    reason: str | None


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A line as it was when it was decided."""

    id: UUID
    external_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: Decimal
    tax: Decimal
    total: Decimal
    decision: LineDecision
    reason: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A client's answer to a quote. A superseded one was not applied and is kept as history."""

    id: UUID
    quote_id: UUID
    quote_version: int
    outcome: QuoteStatus
    """approved, partially_approved or rejected"""
    lines: tuple[DecisionLine, ...]
    currency: str
    approved_subtotal: Decimal
    approved_tax: Decimal
    approved_total: Decimal
    reason: str | None
    note: str | None
    purchase_order: str | None
    signature_name: str | None
    terms: str
    """The terms in full, as they were accepted."""
    decided_by: Mapping[str, Any]
    """kind, id, role and name."""
    decided_at: datetime
    superseded_at: datetime | None
    superseded_reason: str | None


@dataclass(frozen=True, slots=True)
class QuoteVersion:
    """What a client could see at one version."""

    version: int
    content: Content
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote. One from a list carries neither lines, decisions nor versions: ask for them by the quotes' ids."""

    id: UUID
    client_id: UUID | None
    connection_id: UUID
    provider: str
    provider_title: str
    external_id: str
    contact_external_id: str | None
    contact_name: str
    number: str
    title: str
    site_address: str
    status: QuoteStatus
    provider_status: str
    """What the record says at the provider, in the hub's words; "deleted" once it is gone."""
    version: int
    """A decision names the version that it saw."""
    currency: str
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    issued_at: datetime | None
    valid_until: datetime | None
    reopened_reason: str | None
    """Why the quote is open again after a decision that was not applied."""
    revision: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[QuoteLine, ...] = ()
    decision: Decision | None = None
    delivery: Delivery | None = None
    """What became of the latest decision at the provider."""
    history: tuple[Decision, ...] = ()
    """Superseded decisions, latest first."""
    versions: tuple[QuoteVersion, ...] = ()
    """Latest first."""
    changes: tuple[LineChange, ...] = ()
    """For a quote that is open again: what changed since the version that was decided."""
    terms: str = ""
    """The organization's terms, to be accepted with an approval."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof of one decision."""

    organization_name: str
    quote: Quote
    decision: Decision
    delivery: Delivery | None
