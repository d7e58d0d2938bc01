"""The account's clock: naive local times, as the provider writes and compares them. All stamps given here passed `is_time`.

https://developer.servicem8.com/docs/field-types. When clocks go back an hour comes twice and its stamps say nothing about
order: around a change more is read again, and stamps within the repeated hour count as equally old.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

RESOLUTION = timedelta(seconds=1)
"""Stamps have seconds, and filters know only "greater than"."""
AROUND_CHANGES = timedelta(hours=2)
"""What is read again when the watermark is this near to a change of the clocks."""
_FORMAT = "%Y-%m-%d %H:%M:%S"


class AccountClock:
    """Reads and compares the times of one account."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._repeated: dict[str, tuple[str, str] | None] = {}

    def since(self, watermark: str) -> str:
        """From where to ask again after a walk that ended at `watermark`."""
        then = datetime.fromisoformat(watermark)
        near_change = self._offset(then - AROUND_CHANGES) != self._offset(then + AROUND_CHANGES)
        return (then - (AROUND_CHANGES if near_change else RESOLUTION)).strftime(_FORMAT)

    def version(self, stamp: str) -> str:
        """A stamp that compares as text in the order of time; within a repeated hour all are the same."""
        day = stamp[:10]
        if day not in self._repeated:
            self._repeated[day] = self._repeated_hour(day)
        repeated = self._repeated[day]
        return repeated[0] if repeated and repeated[0] <= stamp < repeated[1] else stamp

    def local(self, http_date: str, *, earlier: timedelta = timedelta(0)) -> str:
        """The provider's own clock, from the Date header of its answer; empty where it sends none."""
        try:
            moment = parsedate_to_datetime(http_date)
        except (ValueError, TypeError):
            return ""
        return (moment.astimezone(self._zone) - earlier).strftime(_FORMAT)

    def moment(self, stamp: str) -> str:
        """A stamp as a moment: ISO 8601 in UTC; within a repeated hour its first one."""
        return datetime.fromisoformat(stamp).replace(tzinfo=self._zone).astimezone(UTC).isoformat()

    def _offset(self, local: datetime) -> timedelta | None:
        return local.replace(tzinfo=self._zone).utcoffset()

    def _repeated_hour(self, day: str) -> tuple[str, str] | None:
        """The first and the first later stamp of the stretch that this day's clocks show twice."""
        midnight = datetime.fromisoformat(day)
        if self._offset(midnight) == self._offset(midnight + timedelta(days=1)):
            return None
        minutes = [midnight + timedelta(minutes=minute) for minute in range(24 * 60)]
        twice = [minute for minute in minutes if self._is_repeated(minute)]
        if not twice:
            return None
        return twice[0].strftime(_FORMAT), (twice[-1] + timedelta(minutes=1)).strftime(_FORMAT)

    def _is_repeated(self, local: datetime) -> bool:
        """Skipped times have two readings as well, but only of a repeated one the second has the smaller offset (PEP 495)."""
        first, second = local.replace(tzinfo=self._zone), local.replace(tzinfo=self._zone, fold=1)
        return (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())
