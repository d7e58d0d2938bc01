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
    record_id: UUID | None
    """Of a write of a record, which carries no decision; then `stream` says where it is written."""
    stream: str | None
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
        explanations, troubles = (EXPLANATIONS, TROUBLES) if self.record_id is None else (OF_RECORDS, RECORD_TROUBLES)
        in_trouble = self.error_code is not None and self.status in WAITING
        text = troubles[self.fix_by or FixBy.US] if in_trouble else explanations[self.status]
        return text.format(provider=self.provider_title)


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
OF_RECORDS = {
    DeliveryStatus.QUEUED: "The record will be written to {provider}.",
    DeliveryStatus.SENDING: "The record is being written to {provider}.",
    DeliveryStatus.CONFIRMED: "{provider} has what the hub has.",
    DeliveryStatus.NOT_APPLIED: "The record had changed at {provider}; that was merged first, and nothing was overwritten.",
    DeliveryStatus.FAILED: "{provider} does not take the record as it is.",
}
"""The same for writes of records."""
RECORD_TROUBLES = {
    FixBy.TIME: "{provider} did not answer. The record will be written again.",
    FixBy.CUSTOMER: "{provider} cannot be reached right now. The record will be written as soon as it can.",
    FixBy.US: "Writing to {provider} did not work yet. It will be tried again.",
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
class Hurried:
    """A delivery that need not wait any longer."""

    id: UUID
    record_id: UUID | None
    attempts: int


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
