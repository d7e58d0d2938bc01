"""The faults of this provider, on demand."""

from enum import StrEnum

from app.connectors.sandbox_kit.delivery import Answer
from app.connectors.sandbox_kit.faults import Fault as AnyFault

from .answers import INTERNAL, MAINTENANCE, QUOTA, SERVER_ERROR, WRONG_KEY, Failed


class FaultKind(StrEnum):
    DROP_ANSWER = "drop-answer"
    DROP_REQUEST = "drop-request"
    CUT = "cut"
    SLOW = "slow"
    SERVER_ERROR = "500"
    MAINTENANCE = "maintenance"
    INTERNAL = "opr-1"
    WRONG_KEY = "opr-3"
    QUOTA = "opr-5"
    STALE_READ = "stale-read"
    DUPLICATE_ROW = "duplicate-row"
    MALFORMED_JSON = "malformed-json"


MEANINGS: dict[str, str] = {
    FaultKind.DROP_ANSWER.value: "do the work, then close the connection without an answer",
    FaultKind.DROP_REQUEST.value: "close the connection without work and without an answer",
    FaultKind.CUT.value: "announce the whole body, send half of it, close the connection",
    FaultKind.SLOW.value: "wait `milliseconds` before the work, or after it with after_work",
    FaultKind.SERVER_ERROR.value: "HTTP 500 with a page; with after_work the work is done all the same",
    FaultKind.MAINTENANCE.value: "the page of an upgrade instead of JSON; with after_work the work is done all the same",
    FaultKind.INTERNAL.value: "opr_code 1; with after_work the work is done all the same",
    FaultKind.WRONG_KEY.value: "opr_code 3, as if the key had been changed",
    FaultKind.QUOTA.value: "opr_code 5, as if the quota were used up",
    FaultKind.STALE_READ.value: "a read shows the records as they were before the last write",
    FaultKind.DUPLICATE_ROW.value: "a later page begins a row early, as if a row had appeared before it",
    FaultKind.MALFORMED_JSON.value: "a read's body is no JSON",
}

_PAGES = {FaultKind.SERVER_ERROR: SERVER_ERROR, FaultKind.MAINTENANCE: MAINTENANCE}
_FAILURES = {
    FaultKind.INTERNAL: Failed(INTERNAL, "Internal server error."),
    FaultKind.WRONG_KEY: Failed(WRONG_KEY, "Wrong secret_key or company_id."),
    FaultKind.QUOTA: Failed(QUOTA, "Quota exceeded."),
}
OF_READS = frozenset((FaultKind.STALE_READ, FaultKind.DUPLICATE_ROW, FaultKind.MALFORMED_JSON))


class Fault(AnyFault, kw_only=True, forbid_unknown_fields=True):
    """One wish. `path` fits a call's path, or its path, a colon and the document type: `*/put_document:sales_order`."""

    kind: FaultKind
    reads: bool = True
    writes: bool = True

    def meets(self, path: str, doc_type: str, *, is_write: bool) -> bool:
        """Whether the wish is for such a call."""
        if (is_write and (self.kind in OF_READS or not self.writes)) or (not is_write and not self.reads):
            return False
        return self.fits("POST", path) or (bool(doc_type) and self.fits("POST", f"{path}:{doc_type}"))

    def page(self) -> Answer | None:
        """The page that comes instead of JSON; None for the other kinds."""
        return _PAGES.get(self.kind)

    def failure(self) -> Failed | None:
        """The failure that is told in JSON; None for the other kinds."""
        return _FAILURES.get(self.kind)
