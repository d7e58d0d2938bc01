"""What control requests of every sandbox carry, checked."""

from datetime import datetime
from typing import Annotated

import msgspec

NotNegative = Annotated[float, msgspec.Meta(ge=0)]


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
