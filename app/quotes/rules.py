"""What may be decided, and what a decision is. Pure: time is an argument, a refusal is raised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from app.errors import InvalidInput
from app.plain_text import is_visible
from app.quotes.content import field_changes, line_changes, sum_up
from app.quotes.models import Decision, DecisionLine, LineDecision, Quote, QuoteLine, QuoteStatus, Totals
from app.quotes.refusals import (
    LinesInvalid,
    QuoteChanged,
    QuoteExpired,
    QuoteNotOpen,
    ReasonMissing,
    SignatureMissing,
    TermsNotAccepted,
)

LONGEST_TEXT = 2000
"""Characters of a reason or note."""
LONGEST_LINE_REASON = 500
LONGEST_NAME = 200
LONGEST_PURCHASE_ORDER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks to decide, cleaned. `lines` are the approved ones: None is all of them, () none."""

    version: int
    lines: tuple[UUID, ...] | None
    reason: str | None = None
    line_reasons: Mapping[UUID, str] = field(default_factory=dict)
    note: str | None = None
    purchase_order: str | None = None
    signature_name: str | None = None

    @property
    def operation(self) -> str:
        return "reject_quote" if self.lines == () else "approve_quote"


def approval(
    *,
    version: int,
    lines: Sequence[UUID] | None,
    line_reasons: Mapping[UUID, str] | None,
    signature_name: str,
    accept_terms: bool,
    note: str | None,
    purchase_order: str | None,
) -> Wish:
    """The wish to approve all lines or those named. Raises InvalidInput and its kinds."""
    if lines is not None and not lines:
        raise LinesInvalid(fields={"lines": "Choose at least one line, or decline the quote."})
    name = clean_text("signature_name", signature_name, LONGEST_NAME, "Your name")
    if name is None:
        raise SignatureMissing(fields={"signature_name": "Type your name to sign."})
    if not accept_terms:
        raise TermsNotAccepted(fields={"accept_terms": "Accept the terms to approve this quote."})
    return Wish(
        version=version,
        lines=None if lines is None else tuple(lines),
        line_reasons=_line_reasons(line_reasons),
        note=clean_text("note", note, LONGEST_TEXT, "The note"),
        purchase_order=clean_text("purchase_order", purchase_order, LONGEST_PURCHASE_ORDER, "The purchase order number"),
        signature_name=name,
    )


def rejection(*, version: int, reason: str, line_reasons: Mapping[UUID, str] | None, note: str | None) -> Wish:
    """The wish to decline the whole quote. Raises ReasonMissing and InvalidInput."""
    cleaned = clean_text("reason", reason, LONGEST_TEXT, "The reason")
    if cleaned is None:
        raise ReasonMissing(fields={"reason": "Say why you decline this quote."})
    return Wish(
        version=version,
        lines=(),
        reason=cleaned,
        line_reasons=_line_reasons(line_reasons),
        note=clean_text("note", note, LONGEST_TEXT, "The note"),
    )


def clean_text(name: str, text: str | None, longest: int, title: str) -> str | None:
    """Without blanks around it; None for nothing. Raises InvalidInput for one that is too long or cannot be stored."""
    cleaned = (text or "").replace("\r\n", "\n").strip()
    if len(cleaned) > longest:
        raise InvalidInput(fields={name: f"{title} has {len(cleaned)} characters; at most {longest} are possible."})
    if any(not _is_storable(character) for character in cleaned):
        raise InvalidInput(fields={name: f"{title} holds characters that cannot be stored."})
    return cleaned if is_visible(cleaned) else None


def _is_storable(character: str) -> bool:
    """No control characters except line breaks and tabs, and no halves of a character."""
    return (character >= " " or character in "\n\t") and character != "\x7f" and not "\ud800" <= character <= "\udfff"


def _line_reasons(reasons: Mapping[UUID, str] | None) -> dict[UUID, str]:
    cleaned = {
        line_id: clean_text("line_reasons", text, LONGEST_LINE_REASON, "A line's reason") for line_id, text in (reasons or {}).items()
    }
    return {line_id: text for line_id, text in cleaned.items() if text is not None}


def fingerprint(quote: Quote, wish: Wish) -> str:
    """Equal for two wishes that decide the same: version, lines and reasons. Who signs and what is noted do not count."""
    every = [line.id for line in quote.lines]
    decided = [wish.version, sorted(every if wish.lines is None else wish.lines), wish.reason, sorted(wish.line_reasons.items())]
    return sha256(msgspec.json.encode(decided, order="sorted")).hexdigest()


def check_open(quote: Quote, now: datetime) -> None:
    """Raises QuoteExpired or QuoteNotOpen. Expiry is by the server's clock."""
    if is_expired(quote.status, quote.valid_until, now):
        raise QuoteExpired
    if quote.status != QuoteStatus.OPEN:
        raise QuoteNotOpen


def is_expired(status: str, valid_until: datetime | None, now: datetime) -> bool:
    return status == QuoteStatus.EXPIRED or (status == QuoteStatus.OPEN and valid_until is not None and valid_until <= now)


def check_version(quote: Quote, seen: int) -> None:
    """Raises QuoteChanged with what changed since the version that was seen."""
    if seen != quote.version:
        from_content = {version.version: version.content for version in quote.versions}
        old, new = from_content.get(seen), from_content[quote.version]
        if old is None:
            raise QuoteChanged(quote.version, ())
        raise QuoteChanged(quote.version, line_changes(old, new), field_changes(old, new))


def check_lines(quote: Quote, line_ids: Sequence[UUID]) -> list[QuoteLine]:
    """The lines with those ids, in the quote's order. Raises LinesInvalid for foreign and repeated ones."""
    if len(set(line_ids)) != len(line_ids):
        raise LinesInvalid(fields={"lines": "A line was named twice."})
    chosen = [line for line in quote.lines if line.id in set(line_ids)]
    if len(chosen) != len(line_ids):
        raise LinesInvalid(fields={"lines": "A line that was named is not one of this quote."})
    return chosen


def totals(quote: Quote, line_ids: Sequence[UUID]) -> Totals:
    """The sums of the chosen lines; none chosen is zero."""
    return sum_up(quote.currency, check_lines(quote, line_ids), len(quote.lines))


def decide(quote: Quote, wish: Wish, *, decision_id: UUID, decided_by: Mapping[str, Any], terms: str, now: datetime) -> Decision:
    """The decision that a wish makes of an open quote. Raises what the checks above raise."""
    check_open(quote, now)
    check_version(quote, wish.version)
    approved = _approved_lines(quote, wish)
    check_lines(quote, list(wish.line_reasons))
    sums = sum_up(quote.currency, approved, len(quote.lines))
    ids = {line.id for line in approved}
    return Decision(
        id=decision_id,
        quote_id=quote.id,
        quote_version=quote.version,
        outcome=_outcome(len(approved), len(quote.lines)),
        lines=tuple(_decided(line, line.id in ids, wish) for line in quote.lines),
        currency=quote.currency,
        approved_subtotal=sums.subtotal,
        approved_tax=sums.tax,
        approved_total=sums.total,
        reason=wish.reason,
        note=wish.note,
        purchase_order=wish.purchase_order,
        signature_name=wish.signature_name,
        terms=terms if approved else "",
        decided_by=decided_by,
        decided_at=now,
        superseded_at=None,
        superseded_reason=None,
    )


def _approved_lines(quote: Quote, wish: Wish) -> list[QuoteLine]:
    if wish.lines == ():
        return []
    approved = list(quote.lines) if wish.lines is None else check_lines(quote, wish.lines)
    if not approved:
        raise LinesInvalid(fields={"lines": "This quote has no lines yet, so there is nothing to approve."})
    return approved


def _outcome(approved: int, of: int) -> QuoteStatus:
    if approved == 0:
        return QuoteStatus.REJECTED
    return QuoteStatus.APPROVED if approved == of else QuoteStatus.PARTIALLY_APPROVED


def _decided(line: QuoteLine, is_approved: bool, wish: Wish) -> DecisionLine:
    return DecisionLine(
        id=line.id,
        external_id=line.external_id,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        tax_rate=line.tax_rate,
        amount=line.amount,
        tax=line.tax,
        total=line.total,
        decision=LineDecision.APPROVED if is_approved else LineDecision.REJECTED,
        reason=None if is_approved else wish.line_reasons.get(line.id),
    )
