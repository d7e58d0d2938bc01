"""What staff read about a decision in Metakocka: in the notes of the order that it made, or of the offer that was rejected."""

from collections.abc import Iterable
from datetime import datetime

from app.connectors.base import DecidedLine, QuoteDecision
from app.connectors.metakocka.values import LJUBLJANA

_HEADINGS = {
    "approved": "The client approved this offer.",
    "partially_approved": "The client approved a part of this offer.",
    "rejected": "The client rejected this offer.",
}


def decision_mark(decision: QuoteDecision) -> str:
    """The line by which a note of ours is known."""
    return f"Decision {decision.decision_id}"


def note_on(decision: QuoteDecision) -> str:
    """The note, in plain lines; its last one is the decision's mark."""
    lines = [_HEADINGS.get(decision.outcome, "The client decided on this offer."), _who_and_when(decision)]
    if decision.outcome != "approved":
        lines += _declined(line for line in decision.lines if not line.approved and (line.reason or decision.outcome != "rejected"))
    given = (("Reason", decision.reason), ("Purchase order", decision.purchase_order), ("Note from the client", decision.note))
    return "\n".join([*lines, *(f"{title}: {text}" for title, text in given if text), decision_mark(decision)])


def with_note(notes: str, note: str) -> str:
    """Notes with one more."""
    return f"{notes}\n\n{note}" if notes else note


def _who_and_when(decision: QuoteDecision) -> str:
    local = datetime.fromisoformat(decision.decided_at).astimezone(LJUBLJANA)
    signed = f", signed “{decision.signature_name}”" if decision.signature_name else ""
    return f"By {decision.decided_by} on {local:%d.%m.%Y %H:%M}{signed}."


def _declined(lines: Iterable[DecidedLine]) -> list[str]:
    return [
        f"Declined: {line.quantity.normalize():f} × {line.description}" + (f" ({line.reason})" if line.reason else "") for line in lines
    ]
