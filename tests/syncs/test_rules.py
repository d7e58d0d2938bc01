from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.base import Account, Part
from app.connectors.errors import CredentialsRefused, ProviderUnavailable, QuotaExhausted, RequestRejected
from app.errors import InvalidInput
from app.syncs import rules
from app.syncs.models import Counts, RunStatus, SyncRunStream

ACCOUNT = Account(id="a", name="Acme", currency="EUR", time_zone="Europe/London")


def stream(name: str, *, after: tuple[str, ...] = (), view_of: str | None = None, narrow_by: tuple[str, ...] = ()) -> SimpleNamespace:
    return SimpleNamespace(name=name, after=after, record_stream=view_of or name, narrow_by=narrow_by)


def row(status: str = "running", read: int = 0, pages: int = 0, expected: int | None = None) -> SyncRunStream:
    return SyncRunStream("s", "pull", 1, status, Counts(read=read), pages, expected, None, None)


def test_companies_come_before_their_jobs_and_a_view_gives_way_to_its_stream():
    streams = [stream("quotes", after=("companies",), view_of="jobs"), stream("jobs", after=("companies",)), stream("companies")]

    assert [each.name for each in rules.order(streams)] == ["companies", "jobs"]
    assert [each.name for each in rules.order(streams[:1])] == ["quotes"]


def test_streams_that_wait_for_each_other_are_refused():
    with pytest.raises(ValueError, match="wait for each other"):
        rules.order([stream("a", after=("b",)), stream("b", after=("a",))])


def test_a_fingerprint_changes_with_payload_parts_mapping_and_account_only():
    parts = [Part("c", "1", "p", b"x"), Part("c", "2", "p", b"y")]
    base = rules.fingerprint(b"payload", parts, 1, ACCOUNT)

    assert base == rules.fingerprint(b"payload", parts[::-1], 1, ACCOUNT)
    others = [
        rules.fingerprint(b"payloae", parts, 1, ACCOUNT),
        rules.fingerprint(b"payload", parts[:1], 1, ACCOUNT),
        rules.fingerprint(b"payload", parts, 2, ACCOUNT),
        rules.fingerprint(b"payload", parts, 1, Account(id="a", name="Acme", currency="USD", time_zone="Europe/London")),
    ]
    assert len({base, *others}) == 5


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.one_of(st.none(), st.integers(1, 1500))), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_progress_never_falls_and_reaches_a_hundred_only_at_the_end(steps, streams):
    rows = [row("queued") for _ in range(streams)]
    shown, read, pages = 0.0, 0, 0
    for number, (more, more_pages, expected) in enumerate(steps):
        current = number % streams
        read, pages = read + more, pages + more_pages
        rows[current] = row("running", read, pages, expected)
        after = rules.progress(rows, shown)
        assert shown <= after < 100
        shown = after
    assert rules.progress([replace(each, status="completed") for each in rows], shown) == 100


def test_how_a_run_ends():
    assert rules.final_status(0, False) is RunStatus.COMPLETED
    assert rules.final_status(3, False) is RunStatus.PARTIALLY_COMPLETED
    assert rules.final_status(3, True) is RunStatus.CANCELLED


def test_time_is_waited_for_and_customers_are_not():
    delays = [rules.pause_after(ProviderUnavailable(), errors) for errors in (1, 2, 3, 4)]
    assert all(delay is not None for delay in delays)
    assert delays[0] < delays[2]
    assert rules.pause_after(ProviderUnavailable(), rules.MAXIMUM_ERRORS) is None
    assert rules.pause_after(QuotaExhausted(retry_after=3600), 1) == 3600
    assert rules.pause_after(CredentialsRefused(), 1) is None
    assert rules.pause_after(RequestRejected(), 1) is None
    assert rules.pause_after(ZeroDivisionError(), 1) is not None


def _dues(schedule: str, zone: str, start: datetime, count: int) -> list[str]:
    dues = []
    for _ in range(count):
        due = rules.next_due(schedule, zone, start)
        assert due is not None
        dues.append(due.isoformat())
        start = due
    return dues


def test_a_nightly_sync_runs_once_on_both_days_of_a_clock_change():
    spring = _dues("30 2 * * *", "Europe/Ljubljana", datetime(2026, 3, 28, 0, tzinfo=UTC), 3)
    autumn = _dues("30 2 * * *", "Europe/Ljubljana", datetime(2026, 10, 24, 0, tzinfo=UTC), 3)

    assert [due[:10] for due in spring] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert [due[:10] for due in autumn] == ["2026-10-24", "2026-10-25", "2026-10-26"]


def test_missed_times_coalesce_into_the_next_one():
    long_after = datetime(2026, 6, 1, tzinfo=UTC)

    due = rules.next_due("*/5 * * * *", "UTC", long_after)

    assert due == long_after + timedelta(minutes=5)


@pytest.mark.parametrize(("schedule", "zone"), [("every day", "UTC"), ("61 * * * *", "UTC"), ("0 2 * * *", "Mars/Base"), ("", "UTC")])
def test_a_schedule_that_cannot_be_read_is_refused(schedule, zone):
    with pytest.raises(InvalidInput):
        rules.next_due(schedule, zone, datetime(2026, 1, 1, tzinfo=UTC))


def test_narrowing_by_what_a_stream_does_not_know_is_refused():
    jobs = stream("jobs", narrow_by=("contact_external_id",))

    assert rules.narrowing([(jobs, "pull")], {"contact_external_id": "c1"}) == {"contact_external_id": "c1"}
    with pytest.raises(InvalidInput, match="colour"):
        rules.narrowing([(jobs, "pull")], {"colour": "red"})


def test_any_stream_can_be_narrowed_to_one_object_or_record():
    jobs = stream("jobs")

    assert rules.narrowing([(jobs, "pull")], {"external_id": " j1 "}) == {"external_id": "j1"}
    assert rules.narrowing([(jobs, "push")], {"record_id": "r1"}) == {"record_id": "r1"}


@pytest.mark.parametrize(
    ("ways", "wanted", "field"),
    [
        (["push"], {"external_id": "j1"}, "externalId"),
        (["pull", "push"], {"external_id": "j1"}, "externalId"),
        (["pull", "pull"], {"external_id": "j1"}, "externalId"),
        (["pull"], {"external_id": "j1", "contact_external_id": "c1"}, "externalId"),
        (["pull"], {"external_id": " "}, "externalId"),
        (["pull"], {"external_id": "j" * 501}, "externalId"),
        (["pull"], {"external_id": "j\n1"}, "externalId"),
        (["pull"], {"record_id": "r1"}, "recordId"),
        (["push"], {"record_id": "r1", "external_id": "j1"}, "externalId"),
        ([], {"record_id": "r1"}, "recordId"),
    ],
)
def test_one_object_or_record_is_of_one_stream_and_one_direction(ways: list[str], wanted: dict[str, str], field: str):
    with pytest.raises(InvalidInput) as refused:
        rules.narrowing([(stream("jobs", narrow_by=("contact_external_id",)), way) for way in ways], wanted)

    assert list(refused.value.fields) == [field]


def test_one_object_is_read_of_the_stream_that_it_is_stored_with():
    with pytest.raises(InvalidInput, match="stream"):
        rules.narrowing([(stream("open_jobs", view_of="jobs"), "pull")], {"external_id": "j1"})
