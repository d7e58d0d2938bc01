"""The note on a job that tells staff what the client decided. ServiceM8 has no field for a reason or for single lines."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from app.connectors.base import Account, DecidedLine, QuoteDecision

LONGEST_NOTE = 20_000
"""Characters. No limit is documented; this is far above what a decision with a hundred lines needs."""
_HEADINGS = {
    "approved": "The client approved this quote.",
    "partially_approved": "The client approved a part of this quote.",
    "rejected": "The client rejected this quote.",
}


def note_text(decision: QuoteDecision, account: Account) -> str:
    """The note's text, in plain lines."""
    partial = decision.outcome == "partially_approved"
    blocks = [
        [_HEADINGS.get(decision.outcome, "The client decided this quote."), _who_and_when(decision, account)],
        ["Approved lines:", *_lines(decision.lines, approved=True)] if partial else [],
        ["Declined lines, removed from this job:", *_lines(decision.lines, approved=False)] if partial else _line_reasons(decision),
        [f"Reason: {decision.reason}"] if decision.reason else [],
        [f"Purchase order: {decision.purchase_order}"] if decision.purchase_order else [],
        [f"Note from the client: {decision.note}"] if decision.note else [],
        [f"Decision {decision.decision_id}"],
    ]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    return text if len(text) <= LONGEST_NOTE else text[: LONGEST_NOTE - 14] + "… (shortened)"


def _who_and_when(decision: QuoteDecision, account: Account) -> str:
    local = datetime.fromisoformat(decision.decided_at).astimezone(ZoneInfo(account.time_zone))
    signed = f", signed “{decision.signature_name}”" if decision.signature_name else ""
    return f"By {decision.decided_by} on {local:%Y-%m-%d %H:%M} ({account.time_zone}){signed}."


def _lines(lines: Iterable[DecidedLine], *, approved: bool) -> list[str]:
    return [_line(line) for line in lines if line.approved is approved]


def _line_reasons(decision: QuoteDecision) -> list[str]:
    reasons = [_line(line) for line in decision.lines if line.reason]
    return ["Reasons by line:", *reasons] if reasons else []


def _line(line: DecidedLine) -> str:
    reason = f" ({line.reason})" if line.reason else ""
    return f"- {line.quantity.normalize():f} × {line.description} at {line.unit_price:f}{reason}"
