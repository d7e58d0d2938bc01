"""Times are the account's wall clock without an offset, and the sandbox's clock can be set."""

import asyncio

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider


@pytest.mark.parametrize(
    ("moment", "in_perth", "in_ljubljana"),
    [
        ("2026-01-15T12:00:00Z", "2026-01-15 20:00:00", "2026-01-15 13:00:00"),
        ("2026-07-15T12:00:00Z", "2026-07-15 20:00:00", "2026-07-15 14:00:00"),
        ("2026-03-29T00:59:59Z", "2026-03-29 08:59:59", "2026-03-29 01:59:59"),
        ("2026-03-29T01:00:00Z", "2026-03-29 09:00:00", "2026-03-29 03:00:00"),
        ("2026-12-31T18:30:00Z", "2027-01-01 02:30:00", "2026-12-31 19:30:00"),
    ],
)
async def test_edit_times_are_local_and_naive(
    sandbox: RunningSandbox, provider: Provider, ljubljana: Provider, moment: str, in_perth: str, in_ljubljana: str
):
    await sandbox.set_clock(moment, scale=0)

    times = [(await one.one(f"job/{await one.quote()}.json"))["edit_date"] for one in (provider, ljubljana)]

    assert times == [in_perth, in_ljubljana]


async def test_the_autumn_hour_comes_twice_so_a_later_edit_can_look_earlier(sandbox: RunningSandbox, ljubljana: Provider):
    await sandbox.set_clock("2026-10-25T00:45:00Z", scale=0)
    before = await ljubljana.quote()
    await sandbox.set_clock("2026-10-25T01:15:00Z", scale=0)
    after = await ljubljana.quote()

    first, second = [(await ljubljana.one(f"job/{job}.json"))["edit_date"] for job in (before, after)]
    found = (await ljubljana.filtered("job.json", f"edit_date gt '{first}'")).json()

    assert (first, second) == ("2026-10-25 02:45:00", "2026-10-25 02:15:00")
    assert found == []


async def test_a_jobs_date_is_the_accounts_day(sandbox: RunningSandbox, provider: Provider, ljubljana: Provider):
    await sandbox.set_clock("2026-06-30T20:00:00Z", scale=0)

    dates = [(await one.one(f"job/{await one.quote()}.json"))["date"] for one in (provider, ljubljana)]

    assert dates == ["2026-07-01", "2026-06-30"]


async def test_the_clock_runs_at_any_speed(sandbox: RunningSandbox):
    await sandbox.set_clock("2026-01-01T00:00:00Z", scale=86_400)
    await asyncio.sleep(0.1)
    fast = (await sandbox.control("GET", "clock"))["now"]
    shifted = (await sandbox.set_clock("2026-01-01T00:00:00Z", scale=0, offset_seconds=-1))["now"]

    assert fast > "2026-01-01T02:00:00"
    assert shifted == "2025-12-31T23:59:59+00:00"
