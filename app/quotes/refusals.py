"""What a decision can be refused for; app/quotes/service.py offers them all."""

from collections.abc import Sequence

from app.errors import FixBy, InvalidInput, NotFound, Refusal
from app.quotes.models import Decision, FieldChange, LineChange


class QuoteNotFound(NotFound):
    """This quote does not exist, or you may not see it."""

    code = "quote_not_found"


class DecisionNotFound(NotFound):
    """This decision does not exist, or you may not see it."""

    code = "decision_not_found"


class QuoteChanged(Refusal):
    """This quote has changed since you opened it; look at what changed and decide again."""

    code = "quote_changed"

    def __init__(self, current_version: int, changes: Sequence[LineChange], fields: Sequence[FieldChange] = ()) -> None:
        super().__init__()
        self.current_version = current_version
        self.changes = tuple(changes)
        self.fields = tuple(fields)


class QuoteAlreadyDecided(Refusal):
    """This quote has already been decided."""

    code = "quote_already_decided"
    fix_by = FixBy.CUSTOMER

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision


class QuoteExpired(Refusal):
    """This quote has expired; ask for a new one."""

    code = "quote_expired"


class QuoteNotOpen(Refusal):
    """This quote was withdrawn and cannot be decided."""

    code = "quote_not_open"


class LinesInvalid(InvalidInput):
    """Choose at least one line of this quote, each one once."""

    code = "lines_invalid"


class ReasonMissing(InvalidInput):
    """Say why you decline this quote."""

    code = "reason_missing"


class SignatureMissing(InvalidInput):
    """Type your name to sign."""

    code = "signature_missing"


class TermsNotAccepted(InvalidInput):
    """Accept the terms to approve this quote."""

    code = "terms_not_accepted"
