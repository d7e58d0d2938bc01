"""What connections did, counted, as GraphQL shows it."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.types.sync_runs import SyncCounts
from app.syncs import statistics

_COPIED = (
    "day", "runs", "completed", "partially_completed", "failed", "cancelled", "success_rate", "run_seconds", "average_run_seconds",
    "last_ended_at", "provider_calls", "failed_provider_calls", "deliveries_waiting", "deliveries_confirmed", "deliveries_not_applied",
    "deliveries_failed", "average_seconds_to_confirm",
)  # fmt: skip


@strawberry.type(description="What happened at a connection on one day, or in total. Each thing counts for the day on which it began.")
class Statistics:
    day: date | None = strawberry.field(description="The day in the organization's time zone; null in total.")
    runs: int = strawberry.field(description="Sync runs; those that only made a plan are left out.")
    completed: int = strawberry.field(description="Runs that took everything over.")
    partially_completed: int = strawberry.field(description="Runs that ended while some records failed.")
    failed: int = strawberry.field(description="Runs that could not go on.")
    cancelled: int = strawberry.field(description="Runs that somebody ended.")
    success_rate: float | None = strawberry.field(
        description="The share of completed runs in all that ended by themselves, 0 to 1; null where none did."
    )
    run_seconds: float = strawberry.field(description="Seconds that all runs took together, waiting for the provider included.")
    average_run_seconds: float | None = strawberry.field(description="Seconds that a run took on average; null where none ended.")
    last_ended_at: datetime | None = strawberry.field(description="When the last of these runs ended.")
    records: SyncCounts = strawberry.field(description="The records of these runs, by outcome.")
    provider_calls: int = strawberry.field(description="Requests that were sent to the provider; they are known for 30 days.")
    failed_provider_calls: int = strawberry.field(description="Requests without an answer, or with one that says no.")
    deliveries_waiting: int = strawberry.field(description="Single writes that are on their way.")
    deliveries_confirmed: int = strawberry.field(description="Single writes that the provider confirmed.")
    deliveries_not_applied: int = strawberry.field(description="Single writes that came too late: the object had changed.")
    deliveries_failed: int = strawberry.field(description="Single writes that did not succeed.")
    average_seconds_to_confirm: float | None = strawberry.field(
        description="Seconds from deciding to write until the provider confirmed it, on average; null where nothing was confirmed."
    )

    @classmethod
    def of(cls, found: statistics.Statistics) -> Self:
        return cls(**{name: getattr(found, name) for name in _COPIED}, records=SyncCounts.of(found.records))


@strawberry.type(description="What a connection did, day by day and in total.")
class ConnectionStatistics:
    connection_id: strawberry.Private[UUID]
    days: list[Statistics] = strawberry.field(description="The last days, oldest first and today included; also days without anything.")

    @strawberry.field(description="All that is kept.")
    async def total(self, info: Info) -> Statistics:
        return Statistics.of(await info.context.hub.statistics.total(info.context.actor, self.connection_id))
