"""Faults on demand: which requests they meet, how often, and by which chance."""

from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated

import msgspec

from .answers import Answer, error, over_limit


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


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One wish: `kind` for requests of `method` (any if empty) whose path fits the pattern `path` (`*`, `?`, `[…]`).

    It meets the next `times` of them (None: all) after leaving `skip` alone, each with `probability`, drawn from `seed`.
    """

    kind: FaultKind
    method: str = ""
    path: str = "*"
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    seed: int = 0
    milliseconds: Annotated[int, msgspec.Meta(ge=0)] = 1000
    after_work: bool = False
    records: Annotated[int, msgspec.Meta(ge=1)] = 1
    met: int = 0

    def fits(self, method: str, path: str) -> bool:
        if self.kind in DAMAGES and method != "GET":
            return False
        return (not self.method or self.method.upper() == method) and fnmatchcase(path.lower(), self.path.lower())

    def refusal(self, *, limits_as_json: bool) -> Answer | None:
        """The answer of a fault that refuses; None for the other kinds."""
        if window := _WINDOWS.get(self.kind):
            return over_limit(window, as_json=limits_as_json)
        return _REFUSALS.get(self.kind)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._in_force: list[tuple[Fault, Random]] = []

    def __iter__(self) -> Iterator[Fault]:
        return (fault for fault, _ in self._in_force)

    def add(self, fault: Fault) -> None:
        self._in_force.append((fault, Random(fault.seed)))

    def clear(self) -> None:
        self._in_force.clear()

    def draw(self, method: str, path: str) -> list[Fault]:
        """All faults that meet this request; each is used up by as much."""
        return [fault for fault, chance in list(self._in_force) if fault.fits(method, path) and self._meets(fault, chance)]

    def _meets(self, fault: Fault, chance: Random) -> bool:
        if fault.skip:
            fault.skip -= 1
            return False
        if chance.random() >= fault.probability:
            return False
        fault.met += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._in_force = [kept for kept in self._in_force if kept[0] is not fault]
        return True
