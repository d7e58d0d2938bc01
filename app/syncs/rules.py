"""Decisions of the sync engine, without I/O. Time is an argument."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import islice, takewhile
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from app.connectors.base import Account, Part, Stream
from app.connectors.errors import ConnectorError, ProviderUnavailable, RateLimited
from app.errors import FixBy, HubError, InvalidInput, Refusal
from app.syncs.models import ONE_OBJECT, ONE_RECORD, Counts, RunStatus, SyncRun, SyncRunStream

MAXIMUM_ERRORS = 5
"""So many errors without a checkpoint, and the run has failed."""
MAXIMUM_TAKEN_UP = 20
"""So often a run is taken up without a checkpoint by workers that end without a word; then its page is what ends them."""
DIRECTIONS = ("pull", "push", "two_way")
_LONGEST_SCHEDULE = 100
LONGEST_ID = 500
"""Characters of a provider's id."""
MAXIMUM_PASSED = 1000
"""Nobody needs to know of more times that passed."""
_RETRY_SECONDS = (2.0, 8.0, 30.0, 60.0)


class WorkersLost(HubError):
    """Whoever took this sync run up ended without a word, again and again at the same page."""

    code = "workers_lost"
    fix_by = FixBy.US


def order(streams: Iterable[Stream]) -> list[Stream]:
    """The order in which streams are read: what others come after first; a narrowed view beside its parent is dropped."""
    chosen = {stream.name: stream for stream in streams}
    for stream in list(chosen.values()):
        if stream.record_stream != stream.name and stream.record_stream in chosen:
            del chosen[stream.name]
    ordered: list[Stream] = []
    while chosen:
        ready = [stream for stream in chosen.values() if not any(name in chosen for name in stream.after if name != stream.name)]
        if not ready:
            raise ValueError(f"The streams {sorted(chosen)} wait for each other.")
        ordered += ready
        for stream in ready:
            del chosen[stream.name]
    return ordered


def walks(streams: Sequence[Stream], direction: str, *, named: bool) -> list[tuple[Stream, str]]:
    """The streams with the direction of each walk, in order: everything is read before anything is written.

    What cannot be written is left out of a push, but refused where it was named. Raises InvalidInput.
    """
    if direction not in DIRECTIONS:
        raise InvalidInput(fields={"direction": f"The direction is one of {', '.join(DIRECTIONS)}."})
    pulls = [(stream, "pull") for stream in streams] if direction != "push" else []
    pushes = (
        [(stream, "push") for stream in streams if stream.writer and stream.record_stream == stream.name] if direction != "pull" else []
    )
    read_only = [stream.name for stream in streams if not stream.writer]
    if direction != "pull" and (not pushes or (direction == "push" and named and read_only)):
        raise InvalidInput(fields={"direction": f"Only read here: {', '.join(read_only)}. The allowed direction is pull."})
    return pulls + pushes


def check_remap(direction: str, narrowed_to: Mapping[str, str] | None, task: str) -> None:
    """Raises InvalidInput for what a re-map cannot do."""
    wrong = {}
    if direction != "pull":
        wrong["direction"] = "A re-map translates what was read; its direction is pull."
    if narrowed_to:
        wrong["narrowedTo"] = "A re-map translates everything that is stored; it cannot be narrowed."
    if task != "sync":
        wrong["mode"] = "A re-map is not planned; preview the field mapping instead."
    if wrong:
        raise InvalidInput(fields=wrong)


def fingerprint(payload: bytes, parts: Sequence[Part], mapping_version: int, account: Account) -> bytes:
    """16 bytes that are equal only when an object, its parts, its translation and its account's terms are."""
    digest = blake2b(payload, digest_size=16, salt=mapping_version.to_bytes(8))
    if parts:
        for part in sorted(parts, key=lambda part: (part.kind, part.external_id)):
            digest.update(b"\x00" + part.payload)
    digest.update(f"\x00{account.currency}\x00{account.time_zone}".encode())
    return digest.digest()


def progress(streams: Sequence[SyncRunStream], before: float) -> float:
    """0 to 100 over all streams, each with the same weight; never less than before, 100 only when all have ended."""
    if not streams:
        return 100.0
    share = sum(_share(stream) for stream in streams) / len(streams)
    return max(before, round(share * 100, 2))


def _share(stream: SyncRunStream) -> float:
    if stream.status in ("completed", "cancelled", "failed"):
        return 1.0
    if stream.expected:
        return min(stream.counts.read / stream.expected, 1.0) * 0.95
    return 0.95 * (1 - 1 / (1 + stream.pages / 4))  # an unknown length: approaches the end, never reaches it


def final_status(failed: int, cancelled: bool) -> RunStatus:
    """How a run that came to its end has ended."""
    if cancelled:
        return RunStatus.CANCELLED
    return RunStatus.PARTIALLY_COMPLETED if failed else RunStatus.COMPLETED


def place(run: SyncRun) -> str:
    """Where a run was when it failed."""
    current = next((stream for stream in run.streams if stream.status == "running"), None)
    return f"in {current.stream}, page {current.pages + 1}" if current else "before its first page"


def closing_words(status: RunStatus, counts: Counts) -> str:
    """What a run that has ended says of itself."""
    if status is RunStatus.CANCELLED:
        return f"Cancelled after {counts.read} records"
    if counts.failed:
        return f"Done; {counts.failed} of {counts.read} records failed"
    return f"Done; {counts.read} records read"


def pause_after(error: Exception, errors: int) -> float | None:
    """Seconds to wait before the run goes on; None when trying again would not help or has been tried enough."""
    if isinstance(error, RateLimited):
        return error.retry_after
    if isinstance(error, Refusal | WorkersLost):
        return None
    if isinstance(error, ConnectorError) and not isinstance(error, ProviderUnavailable):
        return None
    if errors >= MAXIMUM_ERRORS:
        return None
    return _RETRY_SECONDS[min(errors, len(_RETRY_SECONDS)) - 1] * random.uniform(0.75, 1.25)


def counts_as_error(error: Exception) -> bool:
    """Waiting for a quota is not failing."""
    return not isinstance(error, RateLimited)


def next_due(schedule: str | None, time_zone: str, after: datetime, delay: timedelta = timedelta()) -> datetime | None:
    """When a schedule is due next, `delay` after its time; in UTC. However many times were missed, there is one next time.

    Raises InvalidInput for a schedule or zone that cannot be read.
    """
    if schedule is None:
        return None
    return next(times(schedule, time_zone, after - delay)).astimezone(UTC) + delay


def times(schedule: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """The times of a schedule after a moment, in its zone. Raises InvalidInput for a schedule or zone that cannot be read.

    At a fixed hour it is due once on a day that repeats that hour, and on a day that leaves it out, as soon as it is over; one of
    every hour (or minute) is due in each hour that the day has.
    """
    zone = _zone(time_zone)
    if len(schedule) > _LONGEST_SCHEDULE or len(schedule.split()) != 5:
        raise _unreadable(schedule)
    try:
        for local in CronSim(schedule, after.astimezone(zone)):
            time = local.astimezone(UTC)
            if time > after:  # within the repetition of an hour, its fixed times are found again
                yield time.astimezone(zone)
    except CronSimError:
        raise _unreadable(schedule) from None
    raise _unreadable(schedule)


def passed(schedule: str, time_zone: str, due: datetime, now: datetime, delay: timedelta) -> int:
    """How many more times of a schedule have come since it was due, `delay` after each: they come to one. At most MAXIMUM_PASSED."""
    later = takewhile(lambda time: time + delay <= now, times(schedule, time_zone, due - delay))
    return sum(1 for _ in islice(later, MAXIMUM_PASSED))


def spread(sync_id: UUID, seconds: int) -> timedelta:
    """How long after its times a sync begins: always the same, up to so many seconds, so that not all begin at once."""
    return timedelta(seconds=int.from_bytes(blake2b(sync_id.bytes, digest_size=8).digest()) % (seconds + 1))


def _zone(name: str) -> ZoneInfo:
    if name not in _time_zones():
        raise InvalidInput(fields={"timeZone": f"{name[:100]!r} is not a time zone; write one like Europe/Ljubljana."})
    return ZoneInfo(name)


@cache
def _time_zones() -> set[str]:
    return available_timezones() - {"localtime"}  # which is another one on each machine


def _unreadable(schedule: str) -> InvalidInput:
    sentence = f"{schedule[:_LONGEST_SCHEDULE]!r} is not a schedule; write five cron fields, for example 0 2 * * *."
    return InvalidInput(fields={"schedule": sentence})


def narrowing(walks: Sequence[tuple[Stream, str]], narrowed_to: Mapping[str, str] | None) -> dict[str, str]:
    """The narrowing, if every stream that is read knows how. Raises InvalidInput, also where nothing is read."""
    wanted, streams = dict(narrowed_to or {}), [stream for stream, direction in walks if direction == "pull"]
    if wanted.keys() & {ONE_OBJECT, ONE_RECORD}:
        return _to_one(walks, wanted)
    if wanted and not streams:
        raise InvalidInput(fields={"narrowedTo": "Only what is read can be narrowed; a sync that only writes brings all that waits."})
    for stream in streams:
        unknown = sorted(set(wanted) - set(stream.narrow_by))
        if unknown:
            raise InvalidInput(fields={"narrowedTo": f"The stream {stream.name} cannot be narrowed by {', '.join(unknown)}."})
    return wanted


def _to_one(walks: Sequence[tuple[Stream, str]], wanted: dict[str, str]) -> dict[str, str]:
    """One thing of one stream, by itself."""
    field, direction = ("externalId", "pull") if ONE_OBJECT in wanted else ("recordId", "push")
    if len(wanted) > 1 or [way for _, way in walks] != [direction]:
        raise InvalidInput(fields={field: f"Name one stream and the direction {direction}, and nothing else that narrows it."})
    stream = walks[0][0]
    if stream.record_stream != stream.name:
        raise InvalidInput(fields={"streams": f"One object is read of the stream {stream.record_stream}."})
    (value,) = wanted.values()
    if not value.strip() or len(value) > LONGEST_ID or not value.isprintable():
        raise InvalidInput(fields={field: "Give the id as the provider shows it."})
    return {name: value.strip() for name in wanted}
