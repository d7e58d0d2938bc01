"""When a delivery is tried again, and when it is given up. Pure.

A decision is never lost to a provider's outage: what time or the customer can heal is tried again for as long as it
takes, with gaps of ten minutes at most. Only errors of ours are counted against a limit.
"""

import random
from dataclasses import dataclass

from app.connectors.errors import ConnectorError, RateLimited
from app.errors import FixBy, HubError

FIRST_GAP_SECONDS = 2.0
LONGEST_GAP_SECONDS = 600.0
FAULTS = 8
"""Attempts that may end in an error of ours before a delivery fails: about ten minutes."""
AT_ONCE = 4
"""Deliveries of one connection that may be in hand at once, in all workers: half of a worker's slots, so that a slow provider or a
used-up minute never holds the decisions of others."""
TELL_OPERATORS_SECONDS = 1800.0
"""How long attempts may fail before operators are told."""


class UnexpectedError(HubError):
    """Something went wrong on our side."""

    code = "unexpected_error"
    fix_by = FixBy.US


@dataclass(frozen=True, slots=True)
class Postponement:
    """Try again in `seconds`; `is_fault` counts against the limit."""

    seconds: float
    is_fault: bool = False


def next_attempt(error: HubError, *, attempts: int, faults: int, luck: float | None = None) -> Postponement | None:
    """When to try again after that error; None is never. `luck` (0 to 1) spreads attempts so that they do not come in herds."""
    spread = 0.75 + 0.5 * (random.random() if luck is None else luck)
    if isinstance(error, RateLimited):
        return Postponement(max(error.retry_after, 0.0) + spread)
    if error.fix_by is FixBy.CUSTOMER:
        # Until somebody acts an attempt now and then is enough; when they do, it is tried at once.
        return Postponement(LONGEST_GAP_SECONDS * min(spread, 1.0))
    gap = min(LONGEST_GAP_SECONDS, FIRST_GAP_SECONDS * 2 ** min(attempts - 1, 20) * spread)
    if error.fix_by is FixBy.TIME:
        return Postponement(gap)
    return Postponement(gap, is_fault=True) if faults + 1 < FAULTS else None


def needs_customer(error: HubError) -> bool:
    """Whether the connection waits for somebody to correct it."""
    return isinstance(error, ConnectorError) and error.fix_by is FixBy.CUSTOMER
