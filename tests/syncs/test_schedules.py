"""Schedules: their times across clock changes, and standing syncs that start, coalesce, wait for their turn and say why."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch_value, transaction
from app.errors import InvalidInput, PermissionDenied
from app.paging import PageRequest
from app.syncs import clock_changes, rules
from app.syncs.models import RunStatus, Sync
from app.syncs.schedules import SyncNotFound
from jobs.schedule import sweep
from tests.factories import colleague, ended, finish, make_connection, make_organization

ALL = PageRequest(100)

CLOCK_CHANGES = {
    "Europe/Ljubljana": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Sydney": (date(2026, 10, 4), date(2026, 4, 5)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),  # by half an hour
    "Pacific/Auckland": (date(2026, 9, 27), date(2026, 4, 5)),
    "America/Santiago": (date(2026, 9, 6), date(2026, 4, 4)),  # at midnight
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 29)),  # at midnight
}
"""By zone: the day on which the clocks go forward, the day on which they go back."""
zones = st.sampled_from(sorted(CLOCK_CHANGES))
at_fixed_times = st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23))


def _around(zone: str, day: date) -> tuple[datetime, datetime]:
    """From the day before to the day after, both included; in UTC."""
    first = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    return first.astimezone(UTC) - timedelta(seconds=1), (first + timedelta(days=3)).astimezone(UTC) - timedelta(seconds=1)


def _runs_per_day(schedule: str, zone: str, day: date, delays: list[int]) -> Counter[date]:
    """On which local days it runs when each next time is asked for some seconds after the last one was due, as workers do."""
    after, until = _around(zone, day)
    found: Counter[date] = Counter()
    for delay in [*delays, *[0] * 10_000]:
        due = rules.next_due(schedule, zone, after)
        assert due is not None
        assert due > after
        if due > until:
            return found
        found[due.astimezone(ZoneInfo(zone)).date()] += 1
        after = due + timedelta(seconds=delay)
    raise AssertionError("It does not get on.")


@given(
    schedule=at_fixed_times | st.sampled_from(["0 2 * * *", "30 2 * * *"]), zone=zones, delays=st.lists(st.integers(0, 5_400), max_size=4)
)
def test_a_sync_at_a_fixed_time_runs_exactly_once_on_the_day_of_a_clock_change(schedule, zone, delays):
    for day in CLOCK_CHANGES[zone]:
        runs = _runs_per_day(schedule, zone, day, delays)

        assert runs == {day + timedelta(days=number): 1 for number in (-1, 0, 1)}, (zone, day)


@pytest.mark.parametrize("zone", CLOCK_CHANGES)
@pytest.mark.parametrize("minute", [0, 15, 30, 45])
def test_an_hourly_sync_runs_as_often_as_the_hours_that_the_day_has(zone, minute):
    for day in CLOCK_CHANGES[zone]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
        hours = ((midnight + timedelta(days=1)).astimezone(UTC) - midnight.astimezone(UTC)) / timedelta(hours=1)

        runs = _runs_per_day(f"{minute} * * * *", zone, day, [])

        assert abs(runs[day] - hours) < 1, (zone, day)  # only Lord Howe Island has days of 23.5 and 24.5 hours
        assert runs[day - timedelta(days=1)] == runs[day + timedelta(days=1)] == 24


def test_the_hours_of_a_day_in_ljubljana():
    spring, autumn = CLOCK_CHANGES["Europe/Ljubljana"]

    assert _runs_per_day("0 * * * *", "Europe/Ljubljana", spring, [])[spring] == 23
    assert _runs_per_day("0 * * * *", "Europe/Ljubljana", autumn, [])[autumn] == 25


@given(moment=st.datetimes(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 4)), delay=st.integers(0, 3600))
def test_what_is_due_next_is_never_past_within_the_repeated_hour(moment, delay):
    after = moment.replace(tzinfo=UTC)

    for schedule in ("30 2 * * *", "0,15,30,45 1-3 * * *", "*/10 * * * *"):
        due = rules.next_due(schedule, "Europe/Ljubljana", after, timedelta(seconds=delay))
        assert due is not None
        assert after < due


def test_many_missed_times_come_to_one_and_jitter_keeps_their_rhythm():
    after, delay = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC), timedelta(seconds=45)

    dues = [rules.next_due("*/5 * * * *", "UTC", after, delay)]
    dues.append(rules.next_due("*/5 * * * *", "UTC", dues[0], delay))

    assert [due.isoformat()[11:19] for due in dues] == ["12:00:45", "12:05:45"]


@given(st.uuids(), st.integers(0, 3600))
def test_a_spread_is_stable_and_within_its_bound(sync_id, seconds):
    assert rules.spread(sync_id, seconds) == rules.spread(sync_id, seconds)
    assert timedelta(0) <= rules.spread(sync_id, seconds) <= timedelta(seconds=seconds)


def test_spreads_differ_from_sync_to_sync():
    spreads = Counter(rules.spread(uuid4(), 60) for _ in range(6_100))

    assert len(spreads) == 61
    assert max(spreads.values()) < 200


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        ("* * * * * *", "UTC"),
        ("0 0 30 2 *", "UTC"),
        ("1" * 5000 + " * * * *", "UTC"),
        ("0 2 * * *", "Europe"),
        ("0 2 * * *", "x" * 300),
        ("0 2 * * *", "localtime"),
    ],
    ids=["seconds", "never", "huge", "half a zone", "long zone", "the machine's own zone"],
)
def test_a_schedule_that_nobody_can_follow_is_refused(schedule, zone):
    with pytest.raises(InvalidInput):
        rules.next_due(schedule, zone, datetime(2026, 1, 1, tzinfo=UTC))


def _preview(hub: Hub, actor: Actor, schedule: str, zone: str, after: datetime, count: int = 5) -> list[tuple[str, str]]:
    return [(time.at.isoformat(), time.note) for time in hub.schedules.preview(actor, schedule, zone, after=after, count=count)]


BACK = "On 25 October the clocks go back from 03:00 to 02:00."


def test_a_preview_shows_the_next_times_in_the_zone_and_what_a_clock_change_does(hub: Hub, viewer: Actor):
    after = datetime(2026, 10, 23, 12, tzinfo=UTC)

    assert _preview(hub, viewer, "30 2 * * *", "Europe/Ljubljana", after) == [
        ("2026-10-24T02:30:00+02:00", ""),
        ("2026-10-25T02:30:00+02:00", "02:30 comes twice on this day; the sync starts once, the first time."),
        ("2026-10-26T02:30:00+01:00", BACK),
        ("2026-10-27T02:30:00+01:00", ""),
        ("2026-10-28T02:30:00+01:00", ""),
    ]
    assert len(hub.schedules.preview(viewer, "* * * * *", "UTC", count=50)) == 50
    with pytest.raises(InvalidInput, match="1 to 50"):
        hub.schedules.preview(viewer, "* * * * *", "UTC", count=51)
    with pytest.raises(PermissionDenied):
        hub.schedules.preview(colleague(viewer, Role.CLIENT_CONTACT), "* * * * *", "UTC")


def test_a_preview_tells_of_an_hour_that_is_left_out(hub: Hub, viewer: Actor):
    eve = datetime(2026, 3, 28, 12, tzinfo=UTC)
    forward = "On 29 March the clocks go forward from 02:00 to 03:00."

    at_half_past_two = _preview(hub, viewer, "30 2 * * *", "Europe/Ljubljana", eve, 2)
    every_hour = _preview(hub, viewer, "0 * * * *", "Europe/Ljubljana", eve + timedelta(hours=12), 3)

    assert at_half_past_two == [
        ("2026-03-29T03:00:00+02:00", f"{forward} The hour that it names is left out on this day, so it starts at 03:00."),
        ("2026-03-30T02:30:00+02:00", ""),
    ]
    assert every_hour == [
        ("2026-03-29T03:00:00+02:00", forward),
        ("2026-03-29T04:00:00+02:00", ""),
        ("2026-03-29T05:00:00+02:00", ""),
    ]


def test_a_yearly_preview_tells_of_no_change_of_months_before(hub: Hub, viewer: Actor):
    found = _preview(hub, viewer, "0 12 1 7 *", "Europe/Ljubljana", datetime(2026, 1, 1, tzinfo=UTC), 2)

    assert found == [("2026-07-01T12:00:00+02:00", ""), ("2027-07-01T12:00:00+02:00", "")]


def test_an_hourly_preview_shows_the_repeated_hour_twice(hub: Hub, viewer: Actor):
    found = _preview(hub, viewer, "0 * * * *", "Europe/Ljubljana", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3)

    assert found == [("2026-10-25T02:00:00+02:00", ""), ("2026-10-25T02:00:00+01:00", BACK), ("2026-10-25T03:00:00+01:00", "")]


@given(zone=zones, schedule=at_fixed_times | st.sampled_from(["0 * * * *", "*/30 * * * *"]), days=st.integers(0, 3))
def test_every_change_of_the_offset_in_a_preview_has_a_note(zone, schedule, days):
    for day in CLOCK_CHANGES[zone]:
        after = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=days)
        times = list(islice(rules.times(schedule, zone, after), 60))
        found = clock_changes.occurrences(schedule, times, after)

        offsets = [after.astimezone(ZoneInfo(zone)).utcoffset(), *(one.at.utcoffset() for one in found)]
        changed = [one for one, before in zip(found, offsets, strict=False) if one.at.utcoffset() != before]
        assert [one for one in found if "the clocks go" in one.note] == changed
        assert [one.at for one in found] == times[:-1]


# Standing syncs.


async def _standing(hub: Hub, actor: Actor, connection_id: UUID, **values) -> Sync:
    return await hub.schedules.create(
        actor, connection_id, **{"name": "Nightly", "streams": ["companies"], "schedule": "* * * * *"} | values
    )


async def _make_due(actor: Actor, sync: Sync, *, minutes_ago: int = 180) -> None:
    async with transaction(actor.scope):
        await execute(
            actor.scope,
            "UPDATE sync SET next_due_at = now() - make_interval(mins => $3) WHERE organization_id = $1 AND id = $2",
            actor.organization_id,
            sync.id,
            minutes_ago,
        )


@pytest.mark.requirement("ERP-38", "ERP-94")
async def test_a_standing_sync_keeps_its_zone_direction_and_jitter(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    connection = await make_connection(hub, operator, sandbox)
    slovenia = await _standing(hub, operator, connection.id, schedule="0 2 * * *", time_zone="Europe/Ljubljana")
    sydney = await _standing(hub, operator, connection.id, schedule="0 2 * * *", time_zone="Australia/Sydney", jitter_seconds=0)

    assert (slovenia.direction, slovenia.jitter_seconds, sydney.jitter_seconds) == ("pull", 60, 0)
    assert slovenia.next_due_at
    assert sydney.next_due_at
    delay = rules.spread(slovenia.id, 60)
    assert (slovenia.next_due_at - delay).astimezone(ZoneInfo("Europe/Ljubljana")).strftime("%H:%M:%S") == "02:00:00"
    assert sydney.next_due_at.astimezone(ZoneInfo("Australia/Sydney")).strftime("%H:%M:%S") == "02:00:00"
    moved = await hub.schedules.update(operator, sydney.id, time_zone="Europe/Ljubljana", jitter_seconds=3600)
    assert moved.next_due_at
    assert (moved.next_due_at - rules.spread(sydney.id, 3600)).astimezone(ZoneInfo("Europe/Ljubljana")).hour == 2


async def test_a_direction_that_streams_do_not_have_is_refused_and_the_refusal_lists_what_they_have(
    hub: Hub, operator: Actor, sandbox: RunningSandbox
):
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)

    for direction in ("push", "two_way", "bidirectional"):
        with pytest.raises(InvalidInput) as refusal:
            await _standing(hub, operator, connection.id, direction=direction)
        assert refusal.value.fields == {"direction": "These streams can be synced in the direction pull."}
        with pytest.raises(InvalidInput):
            await hub.schedules.update(operator, sync.id, direction=direction)
    with pytest.raises(InvalidInput, match="0 to 3600"):
        await hub.schedules.update(operator, sync.id, jitter_seconds=3601)


async def test_hours_without_a_worker_come_to_one_run(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    await sandbox.reset()
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)
    await _make_due(operator, sync)

    started = await asyncio.gather(*(hub.schedules.start_due(operator.organization_id, sync.id) for _ in range(5)))
    again = await hub.schedules.start_due(operator.organization_id, sync.id)

    (run,) = [run for run in started if run]
    assert (run.sync_id, again) == (sync.id, None)
    after = await hub.schedules.get(operator, sync.id)
    assert after.next_due_at
    assert after.next_due_at > hub.now()
    assert after.last_skipped_at
    assert after.last_skipped_reason in (f"No worker was there for {n} more of its times; they came to one run." for n in (179, 180))
    await ended(hub, operator, run)


async def test_a_sync_that_is_still_running_is_not_started_again_and_says_so(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    await sandbox.reset()
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)
    running = await hub.syncs.start(operator, connection.id, streams=["companies"])
    await _make_due(operator, sync)

    assert await hub.schedules.start_due(operator.organization_id, sync.id) is None

    skipped = await hub.schedules.get(operator, sync.id)
    assert skipped.last_skipped_at
    assert skipped.next_due_at
    assert skipped.last_skipped_at <= hub.now() < skipped.next_due_at
    assert "already being synced" in (skipped.last_skipped_reason or "")
    assert [run.id for run in (await hub.syncs.runs(operator, ALL, connection_id=connection.id)).items] == [running.id]
    await finish(hub, operator, running)
    await _make_due(operator, sync)
    run = await hub.schedules.start_due(operator.organization_id, sync.id)
    assert run is not None
    assert (await ended(hub, operator, run)).status is RunStatus.COMPLETED


async def test_a_paused_connection_is_skipped_with_its_reason(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)
    async with transaction(operator.scope):
        await hub.connections.pause_until(operator.scope, connection.id, 3600, "The day's quota is used up.")
    await _make_due(operator, sync)

    assert await hub.schedules.start_due(operator.organization_id, sync.id) is None

    reason = (await hub.schedules.get(operator, sync.id)).last_skipped_reason or ""
    assert "paused" in reason
    assert "quota is used up" in reason


async def test_a_time_that_has_come_survives_a_new_name_and_not_a_new_schedule(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)
    await _make_due(operator, sync)

    renamed = await hub.schedules.update(operator, sync.id, name="Every minute")
    moved = await hub.schedules.update(operator, sync.id, schedule="0 3 * * *")

    assert renamed.next_due_at
    assert moved.next_due_at
    assert renamed.next_due_at < hub.now() < moved.next_due_at


async def test_one_sync_that_cannot_be_started_holds_up_no_other(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    await sandbox.reset()
    connection = await make_connection(hub, operator, sandbox)
    broken = await _standing(hub, operator, connection.id)
    well = await _standing(hub, operator, connection.id)
    async with transaction(operator.scope):  # as if a later release read schedules more strictly
        sql = "UPDATE sync SET schedule = 'now and then' WHERE organization_id = $1 AND id = $2"
        await execute(operator.scope, sql, operator.organization_id, broken.id)
    await _make_due(operator, broken, minutes_ago=200)
    await _make_due(operator, well)

    await sweep(hub)

    skipped = await hub.schedules.get(operator, broken.id)
    assert (skipped.next_due_at, "not a schedule" in (skipped.last_skipped_reason or "")) == (None, True)
    (run,) = (await hub.syncs.runs(operator, ALL, connection_id=connection.id)).items
    assert run.sync_id == well.id
    await ended(hub, operator, run)


async def test_a_run_that_is_not_committed_leaves_its_sync_due(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    connection = await make_connection(hub, operator, sandbox)
    sync = await _standing(hub, operator, connection.id)
    await _make_due(operator, sync)

    with pytest.raises(ZeroDivisionError):
        async with transaction(operator.scope):  # as a worker that dies before the commit
            assert await hub.schedules.start_due(operator.organization_id, sync.id) is not None
            raise ZeroDivisionError

    due = await fetch_value(
        operator.scope, "SELECT next_due_at < now() FROM sync WHERE organization_id = $1 AND id = $2", operator.organization_id, sync.id
    )
    assert due
    assert (await hub.syncs.runs(operator, ALL, connection_id=connection.id)).items == []


async def test_schedules_are_changed_by_whoever_may_and_seen_within_the_organization(hub: Hub, owner: Actor, viewer: Actor, sandbox):
    connection = await make_connection(hub, owner, sandbox)
    sync = await _standing(hub, owner, connection.id)
    stranger = await make_organization(hub)

    with pytest.raises(PermissionDenied):
        await hub.schedules.update(viewer, sync.id, name="Mine")
    with pytest.raises(SyncNotFound):
        await hub.schedules.update(stranger, sync.id, name="Mine")
    assert await hub.schedules.start_due(stranger.organization_id, sync.id) is None
    assert (await hub.schedules.get(colleague(owner, viewer.role), sync.id)).name == "Nightly"


def test_times_go_on_for_as_long_as_they_are_asked():
    times = list(islice(rules.times("0 0 29 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC)), 3))

    assert [time.year for time in times] == [2028, 2032, 2036]


async def test_the_next_starts_of_a_sync_begin_with_the_one_that_is_due(hub: Hub, operator: Actor, sandbox: RunningSandbox):
    connection = await make_connection(hub, operator, sandbox)
    nightly = await _standing(hub, operator, connection.id, schedule="30 2 * * *", time_zone="Europe/Ljubljana", jitter_seconds=600)
    await _make_due(operator, nightly)
    due = await hub.schedules.get(operator, nightly.id)
    on_demand = await hub.schedules.create(operator, connection.id, name="By hand", streams=["companies"])

    late, *later = hub.schedules.next_starts(due, count=3)

    assert late == due.next_due_at
    assert late < hub.now() < later[0] < later[1]
    delay = rules.spread(nightly.id, 600)
    assert {(start - delay).astimezone(ZoneInfo("Europe/Ljubljana")).strftime("%H:%M:%S") for start in later} == {"02:30:00"}
    assert hub.schedules.next_starts(on_demand) == []
    assert hub.schedules.next_starts(await hub.schedules.update(operator, nightly.id, enabled=False)) == []
    with pytest.raises(InvalidInput, match="1 to 50"):
        hub.schedules.next_starts(due, count=0)
