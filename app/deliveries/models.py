"""What the delivery service returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.errors import FixBy


class DeliveryStatus(StrEnum):
    """queued → sending → confirmed, not_applied or failed; back to queued when time heals the error."""

    QUEUED = "queued"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    NOT_APPLIED = "not_applied"
    """The object had changed at the provider, so nothing was written."""
    FAILED = "failed"
    """The provider refuses it for good, or our own errors did not end; operators know."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One write to a provider: what is to be done, and the truth about how far it has got."""

    id: UUID
    client_id: UUID | None
    connection_id: UUID
    provider: str
    provider_title: str
    """How people call the provider: "confirmed by ServiceM8"."""
    action: str
    quote_id: UUID | None
    decision_id: UUID | None
    status: DeliveryStatus
    error_code: str | None
    error_message: str | None
    fix_by: FixBy | None
    confirmation: Mapping[str, Any] | None
    """The provider's account of the object after the write, as it was read back."""
    attempts: int
    next_attempt_at: datetime
    revision: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def explanation(self) -> str:
        """The truth in plain words, for those who wait for it."""
        return EXPLANATIONS[self.status].format(provider=self.provider_title) if self.error_code is None else self._trouble

    @property
    def _trouble(self) -> str:
        if self.status in WAITING:
            return TROUBLES[self.fix_by or FixBy.US].format(provider=self.provider_title)
        return EXPLANATIONS[self.status].format(provider=self.provider_title)


WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
EXPLANATIONS = {
    DeliveryStatus.QUEUED: "Your decision is recorded and will be sent to {provider}.",
    DeliveryStatus.SENDING: "Your decision is recorded and is being sent to {provider}.",
    DeliveryStatus.CONFIRMED: "{provider} has confirmed your decision.",
    DeliveryStatus.NOT_APPLIED: "Your decision was not carried out because the quote had changed at {provider}.",
    DeliveryStatus.FAILED: "{provider} could not take your decision. It is safe here, and the people in charge know about it.",
}
TROUBLES = {
    FixBy.TIME: "{provider} did not answer. Your decision is safe and will be sent again.",
    FixBy.CUSTOMER: "{provider} cannot be reached right now. Your decision is safe and will be sent as soon as it can.",
    FixBy.US: "Sending to {provider} did not work yet. Your decision is safe and will be sent again.",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is due and in nobody's hands."""

    connection_id: UUID
    provider: str
    action: str
    payload: Mapping[str, Any]
    quote_id: UUID | None
    place: int
    """In its connection's line, from 1 on: first those in hand, then those that are due, the oldest first."""


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery in the hands of a worker. Only the holder of the current `fence` may write to it."""

    id: UUID
    organization_id: UUID
    connection_id: UUID
    provider: str
    client_id: UUID | None
    action: str
    payload: Mapping[str, Any]
    steps: dict[str, Any]
    quote_id: UUID | None
    decision_id: UUID | None
    fence: int
    attempts: int
    faults: int
    revision: int
