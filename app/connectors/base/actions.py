"""What clients decided on quotes, and how it is carried to a provider."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from app.connectors.base.sessions import Session


@dataclass(frozen=True, slots=True)
class DecidedLine:
    """A line of a quote as the client saw and decided it. Prices are before tax."""

    external_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    approved: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class QuoteDecision:
    """What a client decided, as an action gets it. `decision_id` is the idempotency key of every write it causes."""

    decision_id: str
    quote_external_id: str
    outcome: str
    """approved, partially_approved or rejected"""
    lines: tuple[DecidedLine, ...]
    decided_by: str
    decided_at: str
    """ISO 8601 with an offset."""
    signature_name: str | None = None
    reason: str | None = None
    note: str | None = None
    purchase_order: str | None = None
    """The client's own number for the order, where it gave one with an approval."""
    contact_external_id: str | None = None
    """The contact that the quote was for when it was decided; None where nobody knew."""


Steps = dict[str, Any]


SaveSteps = Callable[[Steps], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the provider shows after an action, as the connector read it back."""

    external_id: str
    status: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Action(Protocol):
    """One write to a provider. Performing it again with the same decision changes nothing more.

    `steps` is what an earlier attempt saved; `save` commits them before the write that they announce, so that an
    attempt that died anywhere is continued and not repeated. Raises NotApplied when a fresh read shows that the object
    is not what the client saw; RequestRejected when the provider refuses for good (after undoing its earlier steps).
    """

    name: str

    def requests(self, decision: QuoteDecision) -> int:
        """How many requests an attempt sends that nothing interrupts, about: it begins when there is room for them."""
        ...

    async def perform(self, session: Session, decision: QuoteDecision, steps: Steps, save: SaveSteps) -> Confirmation: ...
