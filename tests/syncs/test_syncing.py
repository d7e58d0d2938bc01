"""Syncing from a ServiceM8 sandbox over HTTP into Postgres."""

import asyncio

import pytest

from app.connections.repository import set_credentials
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from app.paging import PageRequest
from app.syncs.models import RunStatus
from app.syncs.service import ConnectionNotUsable, SyncInProgress
from tests.factories import finish, make_connection, make_organization, sync

ALL = PageRequest(100)


@pytest.fixture
async def clean_sandbox(sandbox: RunningSandbox) -> RunningSandbox:
    await sandbox.reset()
    return sandbox


@pytest.fixture
async def acme(clean_sandbox: RunningSandbox) -> dict[str, str]:
    """A company with two contacts, and a job with two lines."""
    sandbox = clean_sandbox
    company = await sandbox.create("company", name="Čebelar & Žagar 🐝 שלום", address="1 High St, Perth WA 6000")
    for first, kind in (("Ann", "BILLING"), ("Bojan", "JOB")):
        await sandbox.create(
            "companycontact", company_uuid=company["uuid"], first=first, last="Žagar", email=f"{first.lower()}@acme.test", type=kind
        )
    job = await sandbox.create("job", company_uuid=company["uuid"], status="Quote", job_description="Replace switchboard")
    await sandbox.add_line(job["uuid"], name="Switchboard", quantity="1", price="1650", tax_inclusive=True)
    await sandbox.add_line(job["uuid"], name="Labour", quantity="2.5", price="90")
    return {"company": company["uuid"], "job": job["uuid"]}


async def _contact(hub, actor, connection):
    (contact,) = (await hub.records.contacts(actor, ALL, connection_id=connection.id)).items
    return contact


@pytest.mark.requirement("SM8-07", "SM8-08", "SM8-12")
async def test_companies_come_with_their_contacts_and_jobs_with_their_lines(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)

    run = await sync(hub, operator, connection)

    assert run.status is RunStatus.COMPLETED
    contact = await _contact(hub, operator, connection)
    assert (contact.data["name"], contact.data["email"]) == ("Čebelar & Žagar 🐝 שלום", "ann@acme.test")
    assert [person["name"] for person in contact.data["people"]] == ["Ann Žagar", "Bojan Žagar"]
    (job,) = (await hub.records.jobs(operator, ALL, contact_id=contact.id)).items
    assert (job.external_id, job.data["status"], job.data["title"]) == (acme["job"], "quote", "Replace switchboard")
    assert [(line["description"], line["quantity"], line["unit_price"]) for line in job.data["lines"]] == [
        ("Switchboard", "1.0000", "1500.0000"),
        ("Labour", "2.5000", "90.0000"),
    ]


@pytest.mark.requirement("SM8-45")
async def test_companies_are_imported_before_jobs_whatever_order_was_asked_for(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)

    run = await sync(hub, operator, connection, streams=["jobs", "companies"])

    assert [stream.stream for stream in run.streams] == ["companies", "jobs"]
    assert run.streams[0].finished_at <= run.streams[1].started_at


@pytest.mark.requirement("SM8-67", "SM8-69")
async def test_a_second_run_asks_only_for_changes_and_writes_nothing_for_what_is_unchanged(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    before = await _contact(hub, operator, connection), (await hub.records.mappings(operator, ALL)).items

    run = await sync(hub, operator, connection)

    queries = [request["query"] for request in await clean_sandbox.requests("/company.json")]
    assert sorted("edit_date" in query for query in queries) == [False, True]
    assert (run.counts.created, run.counts.updated) == (0, 0)
    assert (await _contact(hub, operator, connection), (await hub.records.mappings(operator, ALL)).items) == before


async def test_a_changed_child_changes_its_record_and_keeps_what_it_was(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    (ann,) = [c for c in await clean_sandbox.records("companycontact") if c["first"] == "Ann"]
    await clean_sandbox.edit("companycontact", ann["uuid"], email="new@acme.test")

    run = await sync(hub, operator, connection)

    after = await _contact(hub, operator, connection)
    assert (run.counts.updated, after.data["email"], after.version) == (1, "new@acme.test", 2)
    (earlier,) = await hub.records.history(operator, after.id)
    assert earlier.data["email"] == "ann@acme.test"


async def test_what_is_deleted_there_leaves_a_tombstone_here_and_comes_back(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    contact = await _contact(hub, operator, connection)

    await clean_sandbox.edit("company", acme["company"], active=0)
    deleted = await sync(hub, operator, connection)
    tombstone = await hub.records.get(operator, contact.id)
    await clean_sandbox.edit("company", acme["company"], active=1)
    returned = await sync(hub, operator, connection)

    assert (deleted.counts.deleted, tombstone.deleted_at is not None) == (1, True)
    assert (returned.counts.deleted, (await hub.records.get(operator, contact.id)).deleted_at) == (0, None)
    (mapping,) = (await hub.records.mappings(operator, ALL, record_id=contact.id)).items
    assert (mapping.status, mapping.external_id) == ("synced", acme["company"])


@pytest.mark.requirement("SM8-55", "SM8-56", "SM8-77")
async def test_one_bad_record_never_stops_the_rest_and_is_kept_with_its_cause(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    bad = await clean_sandbox.create("company", name="")
    for number in range(3):
        await clean_sandbox.create("company", name=f"Good {number}")

    run = await sync(hub, operator, connection)

    assert (run.status, run.counts.failed, run.counts.created) == (RunStatus.PARTIALLY_COMPLETED, 1, 5)
    (failed,) = (await hub.failed_records.failed_records(operator, ALL, connection_id=connection.id)).items
    assert (failed.external_id, failed.stage, failed.fix_by, failed.sync_run_id) == (bad["uuid"], "validate", "customer", run.id)
    assert "name" in failed.message
    assert bad["uuid"] in failed.payload


@pytest.mark.requirement("SM8-48", "SM8-57")
async def test_a_failed_record_is_tried_again_by_the_next_run_and_closed_when_it_is_well(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    bad = await clean_sandbox.create("company", name="")
    first = await sync(hub, operator, connection)
    still = await hub.failed_records.retry(operator, connection.id)
    (kept,) = (await hub.failed_records.failed_records(operator, ALL, run_id=first.id)).items
    await clean_sandbox.edit("company", bad["uuid"], name="Well now")

    run = await sync(hub, operator, connection)

    assert (still.retried, still.healed, still.still_failed) == (1, 0, 1)
    assert kept.sync_run_id == first.id
    assert run.status is RunStatus.COMPLETED
    assert (await hub.failed_records.failed_records(operator, ALL, connection_id=connection.id)).items == []
    (closed,) = (await hub.failed_records.failed_records(operator, ALL, connection_id=connection.id, state=None)).items
    assert closed.resolved_at is not None
    assert closed.attempts >= 3


@pytest.mark.requirement("SM8-66")
async def test_a_large_set_is_read_page_by_page(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    await clean_sandbox.seed("companies", 950)

    run = await sync(hub, operator, connection, streams=["companies"])

    (stream,) = run.streams
    assert stream.counts.created + stream.counts.unchanged == 950  # some are archived from the start
    assert stream.counts.created > 850
    assert stream.pages >= 5


@pytest.mark.requirement("SM8-13", "SM8-39", "SM8-76")
async def test_the_status_of_each_stream_says_where_it_stands(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    before = {status.stream: status for status in await hub.syncs.status(operator, connection.id)}
    run = await sync(hub, operator, connection)

    after = {status.stream: status for status in await hub.syncs.status(operator, connection.id)}

    assert (before["companies"].records, before["companies"].last_run_id) == (0, None)
    assert (after["companies"].records, after["jobs"].records) == (1, 1)
    assert (after["jobs"].last_run_id, after["jobs"].last_run_status) == (run.id, RunStatus.COMPLETED)
    assert run.progress == 100


async def test_fifty_parallel_starts_make_one_run(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)

    results = await asyncio.gather(*(hub.syncs.start(operator, connection.id) for _ in range(50)), return_exceptions=True)

    started = [result for result in results if not isinstance(result, Exception)]
    refused = [result for result in results if isinstance(result, SyncInProgress)]
    assert (len(started), len(refused)) == (1, 49)
    assert {refusal.existing_run_id for refusal in refused} == {started[0].id}
    await finish(hub, operator, started[0])


async def test_the_same_key_starts_once_and_returns_the_first_run(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)

    first = await hub.syncs.start(operator, connection.id, idempotency_key="monday")
    await finish(hub, operator, first)
    await hub.connections.update(operator, connection.id, enabled=False)
    again = await hub.syncs.start(operator, connection.id, idempotency_key="monday")

    assert again.id == first.id
    with pytest.raises(ConnectionNotUsable, match="disabled"):
        await hub.syncs.start(operator, connection.id, idempotency_key="tuesday")


async def test_a_view_and_its_stream_lock_each_other_and_other_streams_go_on(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    jobs = await hub.syncs.start(operator, connection.id, streams=["jobs"])

    with pytest.raises(SyncInProgress):
        await hub.syncs.start(operator, connection.id, streams=["quotes"])
    companies = await hub.syncs.start(operator, connection.id, streams=["companies"])

    assert companies.id != jobs.id
    await finish(hub, operator, jobs)
    await finish(hub, operator, companies)


async def test_a_run_cancelled_before_it_began_never_begins(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    run = await hub.syncs.start(operator, connection.id)

    cancelled = await hub.syncs.cancel(operator, run.id)
    again = await hub.syncs.cancel(operator, run.id)
    await hub.syncs.advance(operator.organization_id, run.id)

    assert cancelled.status is again.status is RunStatus.CANCELLED
    assert (await hub.syncs.run(operator, run.id)).counts.read == 0


async def test_a_running_run_is_cancelled_within_two_seconds_and_keeps_its_pages(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    await clean_sandbox.seed("companies", 1000)
    await clean_sandbox.fault("slow", path="*company.json", milliseconds=20_000, skip=2)
    run = await hub.syncs.start(operator, connection.id, streams=["companies"])
    work = asyncio.create_task(hub.syncs.advance(operator.organization_id, run.id))
    while (await hub.syncs.run(operator, run.id)).counts.read < 400:
        await asyncio.sleep(0.02)

    await hub.syncs.cancel(operator, run.id)
    async with asyncio.timeout(2.5):
        await work

    ended = await hub.syncs.run(operator, run.id)
    assert (ended.status, ended.counts.read) == (RunStatus.CANCELLED, 400)
    await clean_sandbox.clear_faults()
    again = await sync(hub, operator, connection, streams=["companies"])
    assert again.counts.created + again.counts.unchanged == 1000
    assert again.counts.unchanged >= 400


async def test_a_run_that_waits_for_a_quota_can_be_cancelled(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    await clean_sandbox.fault("429-day", path="*company*", times=None)
    waiting = await sync(hub, operator, connection)
    paused = await hub.connections.get(operator, connection.id)

    await hub.syncs.cancel(operator, waiting.id)
    await hub.syncs.advance(operator.organization_id, waiting.id)

    assert waiting.status is RunStatus.RUNNING
    assert "quota" in waiting.message
    assert (paused.status, paused.paused_until is not None) == ("paused", True)
    assert (await hub.syncs.run(operator, waiting.id)).status is RunStatus.CANCELLED


async def test_refused_credentials_end_the_run_and_the_connection_waits_for_somebody(hub, operator, clean_sandbox):
    connection = await make_connection(hub, operator, clean_sandbox)
    async with transaction(operator.scope):  # as if the key had been revoked at ServiceM8
        await set_credentials(operator.scope, connection.id, hub.vault.seal({"api_key": "smk-revoked"}), {})

    run = await sync(hub, operator, connection)

    assert (run.status, run.fix_by, run.error_code) == (RunStatus.FAILED, "customer", "credentials_refused")
    assert (await hub.connections.get(operator, connection.id)).status == "needs_attention"
    with pytest.raises(ConnectionNotUsable, match="needs attention"):
        await hub.syncs.start(operator, connection.id)


async def test_a_provider_that_is_away_is_waited_for(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    await clean_sandbox.fault("503", path="*company.json", times=1)

    waiting = await sync(hub, operator, connection)
    assert waiting.status is RunStatus.RUNNING
    assert "Waiting" in waiting.message
    while waiting.status.is_active:
        await asyncio.sleep(0.3)
        waiting = await finish(hub, operator, waiting)

    assert waiting.status is RunStatus.COMPLETED
    assert waiting.counts.created == 2


async def test_deaths_of_workers_do_not_count_as_errors(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    await clean_sandbox.fault("503", path="*company.json", times=1)
    run = await hub.syncs.start(operator, connection.id)
    async with transaction(operator.scope):
        sql = "UPDATE sync_run SET attempts = 10 WHERE organization_id = $1 AND id = $2"
        await execute(operator.scope, sql, operator.organization_id, run.id)

    waiting = await finish(hub, operator, run)

    assert (waiting.status, waiting.errors) == (RunStatus.RUNNING, 1)
    while waiting.status.is_active:
        await asyncio.sleep(0.3)
        waiting = await finish(hub, operator, waiting)
    assert (waiting.status, waiting.errors) == (RunStatus.COMPLETED, 0)


@pytest.mark.requirement("SM8-47")
async def test_a_scheduled_reconciliation_compares_everything_once_however_many_workers_see_it(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    standing = await hub.schedules.create(
        operator, connection.id, name="Nightly", streams=["companies", "jobs"], mode="full", schedule="* * * * *"
    )
    async with transaction(operator.scope):
        await execute(
            operator.scope,
            "UPDATE sync SET next_due_at = now() WHERE organization_id = $1 AND id = $2",
            operator.organization_id,
            standing.id,
        )

    started = await asyncio.gather(*(hub.schedules.start_due(operator.organization_id, standing.id) for _ in range(8)))

    (run,) = [run for run in started if run]
    run = await finish(hub, operator, run)
    assert (run.mode, run.sync_id, run.status) == ("full", standing.id, RunStatus.COMPLETED)
    assert (run.counts.unchanged, run.counts.created, run.counts.updated) == (2, 0, 0)


async def test_runs_of_two_accounts_stay_in_their_organizations(hub, clean_sandbox, acme):
    first, second = await make_organization(hub), await make_organization(hub)
    connections = [await make_connection(hub, actor, clean_sandbox) for actor in (first, second)]

    await asyncio.gather(sync(hub, first, connections[0]), sync(hub, second, connections[1]))

    one, two = await _contact(hub, first, connections[0]), await _contact(hub, second, connections[1])
    assert one.id != two.id
    assert one.organization_id == first.organization_id
