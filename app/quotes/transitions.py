"""What a changed job means for its quote. Pure.

Until somebody decides, the quote follows the job. Once it is decided, what the client sees stays as it was decided: the
hub is the record of line decisions, and what the decision itself changes at the provider comes back as no change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from app.quotes.content import Projected
from app.quotes.models import QuoteStatus

QUOTE = "quote"
"""A job's status while it is a quote."""
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Known:
    """A quote as the hub has it, as far as a change of its job needs it."""

    id: UUID
    client_id: UUID | None
    status: QuoteStatus
    provider_status: str
    version: int
    content_hash: str
    head: tuple[Any, ...]
    """number, title, contact, site, time of issue and validity: what may change without a new version."""
    contact_external_id: str | None
    contact_name: str
    valid_until: datetime | None
    """Until when it may be decided, as its provider or somebody of the organization said last."""
    decision_id: UUID | None
    """The decision that stands."""
    confirmation: Mapping[str, Any] | None
    """What the provider showed after that decision; None while it is not confirmed."""


class Step(Enum):
    """What to do with a quote."""

    NOTHING = auto()
    CREATE = auto()
    FOLLOW = auto()
    """Take over head and content; open."""
    WITHDRAW = auto()
    """It is no quote any more at the provider, and no decision of ours explains it."""
    NOTE = auto()
    """Keep the decision; only note what the provider says."""
    REOPEN = auto()
    """The decision was taken back at the provider."""


def next_step(known: Known | None, projected: Projected | None, was_quote: bool) -> Step:
    """`projected` is None for a deleted job; `was_quote` says whether the job was one before this change."""
    is_quote = projected is not None and projected.provider_status == QUOTE
    if known is None:
        return Step.CREATE if is_quote else Step.NOTHING
    if known.decision_id is not None:
        if projected is not None and is_quote and _is_taken_back(known, projected, was_quote):
            return Step.REOPEN
        return Step.NOTHING if provider_status(projected) == known.provider_status else Step.NOTE
    if projected is not None and is_quote:
        return Step.NOTHING if _is_same(known, projected) else Step.FOLLOW
    if known.status == QuoteStatus.WITHDRAWN and provider_status(projected) == known.provider_status:
        return Step.NOTHING
    return Step.WITHDRAW


def provider_status(projected: Projected | None) -> str:
    return DELETED if projected is None else projected.provider_status


def head_of(projected: Projected) -> tuple[Any, ...]:
    return (
        projected.number,
        projected.content.title,
        projected.contact_external_id,
        projected.site_address,
        projected.issued_at,
        projected.valid_until,
    )


def _is_same(known: Known, projected: Projected) -> bool:
    return (
        known.status == QuoteStatus.OPEN
        and known.provider_status == QUOTE
        and known.content_hash == projected.content_hash
        and known.head == head_of(projected)
    )


def _is_taken_back(known: Known, projected: Projected, was_quote: bool) -> bool:
    """Whether staff made it a quote again after our decision had arrived.

    A job that was read before our write and stored after it looks like one: so either it was seen to be something else
    in between, or it was edited later than the provider's own time of our write.
    """
    if known.confirmation is None:
        return False
    if not was_quote:
        return True
    confirmed_at = _time(known.confirmation.get("edited_at"))
    return projected.edited_at is not None and confirmed_at is not None and projected.edited_at > confirmed_at


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo is not None else None
