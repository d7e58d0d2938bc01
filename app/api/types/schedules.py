"""When schedules are due, as GraphQL shows it."""

from datetime import datetime
from typing import Self

import strawberry

from app.syncs.clock_changes import Occurrence


@strawberry.type(description="One time of a schedule.")
class ScheduledTime:
    at: datetime = strawberry.field(description="The moment.")
    local: str = strawberry.field(description="The same as clocks show it in the schedule's zone, like `2026-10-25T02:30:00+02:00`.")
    note: str = strawberry.field(description="What a clock change does to it, in sentences for people; else empty.")

    @classmethod
    def of(cls, time: Occurrence) -> Self:
        return cls(at=time.at, local=time.at.isoformat(), note=time.note)
