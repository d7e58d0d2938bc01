"""What control requests carry, checked."""

from datetime import datetime

import msgspec

from .config import NotNegative, PositiveInt, SeedKind


class GateWish(msgspec.Struct, forbid_unknown_fields=True):
    """Close the gate (holding answers to writes, or the writes themselves) or open it."""

    closed: bool
    before_work: bool = False
    path: str = "*"


class ClockWish(msgspec.Struct, forbid_unknown_fields=True):
    """Where the clock shall stand; without `now` it starts from real time."""

    now: datetime | None = None
    scale: NotNegative = 1.0
    offset_seconds: float = 0.0


class SeedWish(msgspec.Struct, forbid_unknown_fields=True):
    """Records to add; `count` is the number of companies or jobs, and means nothing for the demo."""

    kind: SeedKind
    count: PositiveInt = 1000
