"""The faults of this provider, on demand."""

from enum import StrEnum

from app.connectors.sandbox_kit.delivery import Answer
from app.connectors.sandbox_kit.faults import Fault as AnyFault

from .answers import error, over_limit


class FaultKind(StrEnum):
    MINUTE_LIMIT = "429-minute"
    DAY_LIMIT = "429-day"
    SERVER_ERROR = "500"
    MAINTENANCE = "503"
    NOT_IN_GOOD_STANDING = "402"
    INSUFFICIENT_SCOPE = "403"
    SLOW = "slow"
    DROP_REQUEST = "drop-request"
    DROP_ANSWER = "drop-answer"
    CUT = "cut"
    DUPLICATE_RECORD = "duplicate-record"
    REPEAT_PAGE = "repeat-page"
    MALFORMED_JSON = "malformed-json"
    TRUNCATED_ARRAY = "truncated-array"
    NAN_AMOUNT = "nan-amount"
    MISSING_UUID = "missing-uuid"
    LONG_TEXT = "long-text"
    UNKNOWN_STATUS = "unknown-status"
    WRONG_TYPES = "wrong-types"


MEANINGS: dict[str, str] = {
    FaultKind.MINUTE_LIMIT.value: "refuse: the minute's limit is used up (429, text)",
    FaultKind.DAY_LIMIT.value: "refuse: the day's limit is used up (429, text)",
    FaultKind.SERVER_ERROR.value: "refuse with 500; with after_work the work is done all the same",
    FaultKind.MAINTENANCE.value: "refuse with 503; with after_work the work is done all the same",
    FaultKind.NOT_IN_GOOD_STANDING.value: "refuse: the account is not in good standing (402)",
    FaultKind.INSUFFICIENT_SCOPE.value: "refuse: a scope is missing (403)",
    FaultKind.SLOW.value: "wait `milliseconds` before the work, or after it with after_work",
    FaultKind.DROP_REQUEST.value: "close the connection without work and without an answer",
    FaultKind.DROP_ANSWER.value: "do the work, then close the connection without an answer",
    FaultKind.CUT.value: "announce the whole body, send half of it, close the connection",
    FaultKind.DUPLICATE_RECORD.value: "the page's first records stand in it twice",
    FaultKind.REPEAT_PAGE.value: "the next cursor is the one just used, so the page comes again",
    FaultKind.MALFORMED_JSON.value: "the body is no JSON",
    FaultKind.TRUNCATED_ARRAY.value: "the body ends in the middle, and its length says so",
    FaultKind.NAN_AMOUNT.value: 'amounts are "NaN"',
    FaultKind.MISSING_UUID.value: "the records have no uuid",
    FaultKind.LONG_TEXT.value: "texts have 100,000 characters",
    FaultKind.UNKNOWN_STATUS.value: "the status is one that nobody knows",
    FaultKind.WRONG_TYPES.value: "numbers, lists and objects where text belongs",
}

_REFUSALS = {
    FaultKind.SERVER_ERROR: error(500, "An internal error has occurred"),
    FaultKind.MAINTENANCE: error(503, "Service temporarily unavailable for maintenance"),
    FaultKind.NOT_IN_GOOD_STANDING: error(402, "Account is not in good standing"),
    FaultKind.INSUFFICIENT_SCOPE: error(403, "insufficient_scope: read_jobs scope required"),
}
_WINDOWS = {FaultKind.MINUTE_LIMIT: "minute", FaultKind.DAY_LIMIT: "day"}
# These change what is read, so they meet reads only.
DAMAGES = frozenset(list(FaultKind)[list(FaultKind).index(FaultKind.DUPLICATE_RECORD) :])


class Fault(AnyFault, kw_only=True, forbid_unknown_fields=True):
    """One wish for this provider's kinds."""

    kind: FaultKind

    def fits(self, method: str, path: str) -> bool:
        return super().fits(method, path) and not (self.kind in DAMAGES and method != "GET")

    def refusal(self, *, limits_as_json: bool) -> Answer | None:
        """The answer of a fault that refuses; None for the other kinds."""
        if window := _WINDOWS.get(self.kind):
            return over_limit(window, as_json=limits_as_json)
        return _REFUSALS.get(self.kind)
