"""A connection's statistics in words and drawings. Pure: what was counted in, findings out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from app.syncs.models import Counts
from app.syncs.statistics import Statistics
from portal.console.charts import Bars, Line, Series, bars, line
from portal.formats import duration, number, plural


@dataclass(frozen=True, slots=True)
class Chart:
    """What a drawing shows, said in words, and the drawing."""

    finding: str
    about: str
    drawing: Bars | Line
    top: str
    """What the upper edge stands for."""

    @property
    def is_line(self) -> bool:
        return isinstance(self.drawing, Line)


@dataclass(frozen=True, slots=True)
class Sum:
    """All days that are shown, together."""

    runs: int
    completed: int
    troubled: int
    failed: int
    cancelled: int
    seconds: float
    records: Counts
    calls: int
    failed_calls: int

    @property
    def ended(self) -> int:
        return self.completed + self.troubled + self.failed

    @property
    def success_rate(self) -> float | None:
        return self.completed / self.ended if self.ended else None

    @property
    def changed(self) -> int:
        return self.records.created + self.records.updated + self.records.deleted


def sum_of(days: Sequence[Statistics]) -> Sum:
    def added(count: Callable[[Statistics], int]) -> int:
        return sum(map(count, days))

    return Sum(
        runs=added(lambda day: day.runs),
        completed=added(lambda day: day.completed),
        troubled=added(lambda day: day.partially_completed),
        failed=added(lambda day: day.failed),
        cancelled=added(lambda day: day.cancelled),
        seconds=sum(day.run_seconds for day in days),
        records=sum((day.records for day in days), Counts()),
        calls=added(lambda day: day.provider_calls),
        failed_calls=added(lambda day: day.failed_provider_calls),
    )


def day_name(day: date | None) -> str:
    return f"{day.day} {day:%B}" if day else "In total"


def rate(value: float | None) -> str:
    """A share as people say it. It is 100 % only where nothing is missing."""
    if value is None:
        return "—"
    return f"{number(min(round(value * 100, 1), 100.0 if value == 1 else 99.9))} %"


def charts_of(days: Sequence[Statistics], total: Sum, provider: str) -> list[Chart]:
    names = [day_name(day.day) for day in days]
    charts = [_records(days, names, total), _runs(days, names, total), _success(days, total), _durations(days, total)]
    if total.calls:
        charts.append(_calls(days, names, total, provider))
    if any(day.deliveries_confirmed or day.deliveries_not_applied or day.deliveries_failed for day in days):
        charts.append(_deliveries(days, names, provider))
    return charts


def _records(days: Sequence[Statistics], names: Sequence[str], total: Sum) -> Chart:
    counts = [day.records for day in days]
    drawing = bars(
        names,
        [
            Series("Updated", "information", [one.updated for one in counts]),
            Series("New", "good", [one.created for one in counts]),
            Series("Deleted", "attention", [one.deleted for one in counts]),
            Series("Failed", "bad", [one.failed for one in counts]),
        ],
    )
    failed = f", {number(total.records.failed)} failed" if total.records.failed else ""
    finding = f"{plural(total.changed, 'record')} changed{failed}" if drawing.top else "No record changed"
    about = f"Records by day. {plural(total.records.unchanged, 'unchanged one is', 'unchanged ones are')} left out."
    return Chart(finding, about, drawing, number(drawing.top))


def _runs(days: Sequence[Statistics], names: Sequence[str], total: Sum) -> Chart:
    drawing = bars(
        names,
        [
            Series("Completed", "good", [day.completed for day in days]),
            Series("With failed records", "attention", [day.partially_completed for day in days]),
            Series("Failed", "bad", [day.failed for day in days]),
            Series("Cancelled", "muted", [day.cancelled for day in days]),
        ],
    )
    if not total.ended:
        finding = "No run ended"
    elif total.completed == total.ended:
        finding = f"All of {plural(total.ended, 'run')} went well" if total.ended > 1 else "The only run went well"
    else:
        finding = f"{number(total.ended - total.completed)} of {plural(total.ended, 'run')} had failures"
    return Chart(finding, "Sync runs by day and by how they ended.", drawing, number(drawing.top))


def _success(days: Sequence[Statistics], total: Sum) -> Chart:
    finding = "No run to judge by" if total.success_rate is None else f"{rate(total.success_rate)} of runs took everything over"
    about = "Share of completed runs in those that ended by themselves, by day."
    return Chart(finding, about, line([day.success_rate for day in days], 1.0), "100 %")


def _durations(days: Sequence[Statistics], total: Sum) -> Chart:
    averages = [day.average_run_seconds for day in days]
    known = [average for average in averages if average is not None]
    longest = max(known, default=0.0)
    finished = total.ended + total.cancelled
    finding = f"A run took {duration(total.seconds / finished)} on average" if known and finished else "No run ended"
    return Chart(finding, "Average time of a run by day, waiting included.", line(averages, longest), duration(longest) if known else "")


def _calls(days: Sequence[Statistics], names: Sequence[str], total: Sum, provider: str) -> Chart:
    drawing = bars(
        names,
        [
            Series("Answered", "information", [day.provider_calls - day.failed_provider_calls for day in days]),
            Series("Failed", "bad", [day.failed_provider_calls for day in days]),
        ],
    )
    failed = f", {number(total.failed_calls)} failed" if total.failed_calls else ""
    finding = f"{plural(total.calls, 'request')} to {provider}{failed}"
    return Chart(finding, "Requests by day. They are known for 30 days.", drawing, number(drawing.top))


def _deliveries(days: Sequence[Statistics], names: Sequence[str], provider: str) -> Chart:
    series = [
        Series("Confirmed", "good", [day.deliveries_confirmed for day in days]),
        Series("Not applied", "attention", [day.deliveries_not_applied for day in days]),
        Series("Failed", "bad", [day.deliveries_failed for day in days]),
    ]
    confirmed, *others = (sum(one.values) for one in series)
    trouble = f", {number(sum(others))} without success" if any(others) else ""
    drawing = bars(names, series)
    finding, about = (
        f"{plural(confirmed + sum(others), 'write')} to {provider}{trouble}",
        "Single writes, decisions of clients among them, by day.",
    )
    return Chart(finding, about, drawing, number(drawing.top))
