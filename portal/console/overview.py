"""The overview's words and numbers. Pure: values in, sentences and bars out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.connections.models import Connection, ConnectionStatus
from app.deliveries.models import Delivery
from app.syncs.models import RunStatus, SyncRun
from app.syncs.quarantine_store import Quarantine
from app.syncs.statistics import Activity
from portal.console.charts import Bars, Series, bars
from portal.formats import number, plural

DAYS = 14
CHART_HEIGHT = 56
_TROUBLED = frozenset({RunStatus.FAILED, RunStatus.PARTIALLY_COMPLETED})


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person."""

    meaning: str
    title: str
    text: str
    path: str
    action: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A stream that the last comparison found out of step."""

    connection: Connection
    title: str
    words: str

    @property
    def path(self) -> str:
        return f"/connections/{self.connection.id}/reconciliation"


@dataclass(frozen=True, slots=True)
class Day:
    """Runs of one day, and how high their bars are (of CHART_HEIGHT)."""

    label: str
    good: int
    bad: int
    good_height: float
    bad_height: float


def sentence_of(connections: Sequence[Connection], conflicts: str = "") -> str:
    """Is everything all right? `conflicts` is how many wait for a decision, as text."""
    if conflicts:
        return f"{_health_of(connections)} {conflicts} {'conflict waits' if conflicts == '1' else 'conflicts wait'} for you."
    return _health_of(connections)


def _health_of(connections: Sequence[Connection]) -> str:
    ill = sum(connection.status is ConnectionStatus.NEEDS_ATTENTION for connection in connections)
    if not connections:
        return "Nothing is connected yet."
    if ill:
        return f"{plural(ill, 'connection needs', 'connections need')} you."
    if len(connections) == 1:
        return "Your connection is healthy." if connections[0].status is ConnectionStatus.ACTIVE else "Your connection is not at work yet."
    at_work = sum(connection.status is ConnectionStatus.ACTIVE for connection in connections)
    return (
        f"All {len(connections)} connections are healthy."
        if at_work == len(connections)
        else f"{at_work} of {len(connections)} connections are at work."
    )


def needs_of(
    connections: Sequence[Connection],
    stuck: Sequence[Delivery],
    conflicts: str = "",
    failed: str = "",
    held: Sequence[Quarantine] = (),
    drifts: Sequence[Drift] = (),
) -> list[Need]:
    """The worst first."""
    needs = [
        Need("bad", f"{connection.name} stopped working.", connection.status_message or "", f"/connections/{connection.id}", "Look at it")
        for connection in connections
        if connection.status is ConnectionStatus.NEEDS_ATTENTION
    ]
    needs += [
        Need(
            "bad",
            f"A decision could not be sent to {delivery.provider_title}.",
            delivery.error_message or "",
            f"/quotes/{delivery.quote_id}",
            "Look at the quote",
        )
        for delivery in stuck
        if delivery.quote_id
    ]
    if conflicts:
        title = f"{conflicts} {'conflict waits' if conflicts == '1' else 'conflicts wait'} for a decision."
        needs.append(Need("attention", title, "Nobody's value was overwritten.", "/conflicts", "Choose what counts"))
    names = {connection.id: connection.name for connection in connections}
    needs += [
        Need(
            "attention",
            f"{plural(one.count, 'deletion is', 'deletions are')} held back for {names.get(one.connection_id, 'a removed connection')}.",
            f"The provider suddenly showed {one.count} of {one.known} known records no more. Nothing was deleted.",
            f"/held-deletions/{one.id}",
            "Decide",
        )
        for one in held
    ]
    if failed:
        title = f"{failed} {'record' if failed == '1' else 'records'} could not be taken over or written."
        needs.append(Need("attention", title, "The rest went on.", "/failed-records", "See why"))
    needs += [
        Need("attention", f"{one.title} of {one.connection.name} are out of step.", f"{one.words}.", one.path, "Look at the comparison")
        for one in drifts
    ]
    needs += [
        Need(
            "attention",
            f"{connection.name} has not been tested.",
            "It is used only after a test that succeeds.",
            f"/connections/{connection.id}",
            "Test it",
        )
        for connection in connections
        if connection.status is ConnectionStatus.UNTESTED
    ]
    return needs


def days_of(runs: Sequence[SyncRun], now: datetime) -> list[Day]:
    """The last two weeks, oldest first."""
    dates = [(now - timedelta(days=back)).date() for back in range(DAYS - 1, -1, -1)]
    counted = [(date, _count(runs, date, troubled=False), _count(runs, date, troubled=True)) for date in dates]
    tallest = max((good + bad for _, good, bad in counted), default=0) or 1
    return [
        Day(f"{date.day} {date:%B}", good, bad, good / tallest * CHART_HEIGHT, bad / tallest * CHART_HEIGHT) for date, good, bad in counted
    ]


def _count(runs: Sequence[SyncRun], date: object, *, troubled: bool) -> int:
    return sum((run.status in _TROUBLED) is troubled for run in runs if run.created_at.date() == date)


def finding_of(days: Sequence[Day]) -> str:
    """What the chart shows, said in words."""
    total, bad = sum(day.good + day.bad for day in days), sum(day.bad for day in days)
    if not total:
        return "No sync ran in the last two weeks"
    return f"All of {plural(total, 'run')} went well" if not bad else f"{bad} of {plural(total, 'run')} had failures"


def sparks_of(activity: Mapping[UUID, Sequence[Activity]]) -> dict[UUID, tuple[Bars, str]]:
    """By connection: how much changed by day as a small drawing, and the same in words."""
    found = {}
    for connection_id, days in activity.items():
        changed, failed = sum(day.changed for day in days), sum(day.failed for day in days)
        drawing = bars(
            [f"{day.day.day} {day.day:%B}" for day in days],
            [Series("Changed", "information", [day.changed for day in days]), Series("Failed", "bad", [day.failed for day in days])],
        )
        if drawing.top:
            words = f"{plural(changed, 'record')} changed in {len(days)} days" + (f", {number(failed)} failed" if failed else "")
            found[connection_id] = (drawing, words)
    return found
