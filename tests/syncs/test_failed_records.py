"""Failed records: by cause, mended, tried again, dismissed; read from ServiceM8's sandbox and pushed to Metakocka's."""

import json

import pytest

from app.actors import Role
from app.connectors.metakocka.sandbox.testing import RunningSandbox as RunningMetakocka
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch_value
from app.errors import InvalidInput, PermissionDenied
from app.paging import PageRequest
from app.syncs.failed_records import FailedRecordNotFound, FailedRecordSettled
from app.syncs.models import RunStatus
from tests.factories import colleague, key, make_connection, make_organization, sync
from tests.two_way.office import Office

ALL = PageRequest(100)
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


class Yard:
    """A connection to ServiceM8 on which companies fail."""

    def __init__(self, hub, operator, sandbox, connection) -> None:
        self.hub, self.operator, self.sandbox, self.connection = hub, operator, sandbox, connection

    async def nameless(self) -> str:
        return (await self.sandbox.create("company", name=""))["uuid"]

    async def parked(self, status: str) -> str:
        company = await self.sandbox.create("company", name="Somebody")
        return (await self.sandbox.create("job", company_uuid=company["uuid"], status=status))["uuid"]

    async def run(self, mode: str = "incremental", **values):
        return await sync(self.hub, self.operator, self.connection, mode=mode, **values)

    async def failed(self, **values):
        return (await self.hub.failed_records.failed_records(self.operator, ALL, connection_id=self.connection.id, **values)).items

    async def mapping(self, external_id: str):
        found = (await self.hub.records.mappings(self.operator, ALL, connection_id=self.connection.id)).items
        return next((one for one in found if one.external_id == external_id), None)

    async def fingerprint(self, external_id: str):
        """What the next page is compared with; nothing where it is looked at in any case."""
        sql = "SELECT fingerprint FROM mapping WHERE organization_id = $1 AND external_id = $2"
        return await fetch_value(self.operator.scope, sql, self.operator.organization_id, external_id)

    async def payload(self, failed, **changes) -> str:
        return json.dumps(json.loads(await self.hub.failed_records.payload(self.operator, failed.id)) | changes)

    async def audited(self, subject_id):
        return [entry.event for entry in (await self.hub.audit.entries(self.operator, ALL, subject_id=subject_id)).items]


@pytest.fixture
async def yard(hub, operator, sandbox: RunningSandbox) -> Yard:
    await sandbox.reset()
    return Yard(hub, operator, sandbox, await make_connection(hub, operator, sandbox))


async def test_those_that_fail_alike_are_one_cause_with_its_count_and_an_example(yard: Yard):
    for _ in range(3):
        await yard.nameless()
    for status in ("Parked", "Asleep"):
        await yard.parked(status)
    await yard.run()

    page = await yard.hub.failed_records.causes(yard.operator, PageRequest(1), connection_id=yard.connection.id)
    rest = await yard.hub.failed_records.causes(yard.operator, PageRequest(1, page.cursors[-1]), connection_id=yard.connection.id)

    (nameless,), (parked,) = page.items, rest.items
    assert (nameless.stream, nameless.stage, nameless.error_code, nameless.count) == ("companies", "validate", "record_invalid", 3)
    assert (parked.stream, parked.stage, parked.count) == ("jobs", "translate", 2)
    assert "Parked" not in parked.cause
    assert parked.example_message in {one.message for one in await yard.failed()}
    assert parked.first_failed_at <= parked.last_failed_at
    assert (page.has_next, rest.has_next) == (True, False)


async def test_only_what_is_chosen_is_tried_again(yard: Yard):
    await yard.nameless()
    await yard.parked("Parked")
    await yard.run()
    causes = {one.stage: one for one in (await yard.hub.failed_records.causes(yard.operator, ALL)).items}

    tried = await yard.hub.failed_records.retry(yard.operator, yard.connection.id, stage="translate", cause=causes["translate"].cause)
    none = await yard.hub.failed_records.retry(yard.operator, yard.connection.id, stream="jobs", cause=causes["validate"].cause)

    assert (tried.retried, tried.still_failed, none.retried) == (1, 1, 0)
    assert sorted(one.attempts for one in await yard.failed()) == [1, 2]


@pytest.mark.requirement("SM8-57", "MKC-47")
async def test_an_edited_payload_is_taken_over_until_the_provider_sends_another_one(yard: Yard):
    uuid = await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()

    mended = await yard.hub.failed_records.edit(yard.operator, failed.id, await yard.payload(failed, name="Mended"))

    assert (mended.resolved_at is not None, mended.edited_by) == (True, yard.operator.name)
    assert "failed_record.edited" in await yard.audited(failed.id)
    record = await yard.hub.records.get(yard.operator, (await yard.mapping(uuid)).record_id)
    assert record.data["name"] == "Mended"
    assert await yard.fingerprint(uuid) is None
    await yard.sandbox.edit("company", uuid, name="Named there")
    await yard.run()
    assert (await yard.hub.records.get(yard.operator, record.id)).data["name"] == "Named there"


async def test_what_failed_before_and_comes_again_undoes_the_edit(yard: Yard):
    uuid = await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()
    await yard.hub.failed_records.edit(yard.operator, failed.id, await yard.payload(failed, name="Mended"))

    run = await yard.run("full", streams=["companies"])

    assert run.counts.failed == 1
    assert (await yard.mapping(uuid)).status == "failed"
    (again,) = await yard.failed()
    assert (again.external_id, again.edited_payload) == (uuid, None)


async def test_an_edit_that_does_not_help_is_kept_and_tried_by_later_runs(yard: Yard):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()

    still = await yard.hub.failed_records.edit(yard.operator, failed.id, "[]")
    await yard.hub.failed_records.retry(yard.operator, yard.connection.id)
    (later,) = await yard.failed()
    await yard.run("full")

    assert (still.stage, still.edited_payload, still.payload) == ("assemble", "[]", failed.payload)
    assert (later.stage, later.attempts, later.edited_payload) == ("assemble", 3, "[]")
    (last,) = await yard.failed()
    assert (last.stage, last.attempts, last.edited_payload) == ("validate", 5, "[]")  # tried once more, and read once more


async def test_a_repeated_edit_is_made_once_and_what_is_well_is_not_edited(yard: Yard):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()
    text, same = await yard.payload(failed, name="Mended"), key()
    mended = await yard.hub.failed_records.edit(yard.operator, failed.id, text, idempotency_key=same)
    assert await yard.hub.failed_records.edit(yard.operator, failed.id, text, idempotency_key=same) == mended

    with pytest.raises(FailedRecordSettled):
        await yard.hub.failed_records.edit(yard.operator, failed.id, text)

    assert (await yard.audited(failed.id)).count("failed_record.edited") == 1


async def test_a_dismissed_one_stays_so_until_it_fails_in_another_way(yard: Yard):
    uuid = await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()

    assert await yard.hub.failed_records.dismiss(yard.operator, [failed.id], reason="A test company") == 1
    await yard.run("full")
    quiet = await yard.failed()
    (status, *_) = await yard.hub.syncs.status(yard.operator, yard.connection.id)
    await yard.sandbox.edit("company", uuid, address="Another street")
    await yard.run()

    assert (quiet, status.failed_records) == ([], 0)
    (again,) = await yard.failed()
    assert (again.id, again.dismissed_reason) == (failed.id, None)
    assert (await yard.audited(failed.id)) == ["failed_record.dismissed"]


async def test_no_run_tries_a_dismissed_one_again_but_somebody_can(yard: Yard):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()
    await yard.hub.failed_records.dismiss(yard.operator, [failed.id], reason="A test company")

    await yard.run("full")
    by_filter = await yard.hub.failed_records.retry(yard.operator, yard.connection.id)
    dismissed = await yard.hub.failed_records.get(yard.operator, failed.id)
    by_name = await yard.hub.failed_records.retry(yard.operator, yard.connection.id, record_ids=[failed.id])
    reopened = await yard.hub.failed_records.reopen(yard.operator, failed.id)

    assert (dismissed.attempts, dismissed.dismissed_by) == (2, yard.operator.name)  # the provider sent it again, nothing more
    assert (by_filter.retried, by_name.retried, reopened.dismissed_at) == (0, 1, None)


async def test_a_dismissed_one_is_closed_when_it_is_well(yard: Yard):
    uuid = await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()
    await yard.hub.failed_records.dismiss(yard.operator, [failed.id], reason="A test company")
    await yard.sandbox.edit("company", uuid, name="A real one")

    await yard.run()

    assert (await yard.hub.failed_records.get(yard.operator, failed.id)).resolved_at is not None


async def test_what_cannot_be_edited_or_dismissed_is_refused_with_a_sentence(yard: Yard):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()

    for text in ("", "   ", "\x00", "x" * 1_000_001):
        with pytest.raises(InvalidInput, match="whole object"):
            await yard.hub.failed_records.edit(yard.operator, failed.id, text)
    for reason in ("", "\u200b", "x" * 501):
        with pytest.raises(InvalidInput, match="Say why"):
            await yard.hub.failed_records.dismiss(yard.operator, [failed.id], reason=reason)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"name": "Mended"', "Line 1, column 18: a comma or a closing bracket is missing."),
        ('{\n  "name": Mended\n}', "Line 2, column 11: a value is missing, or a text stands without quotes."),
        ('{"number": NaN}', "numbers are finite"),
        ('{"name": "[hidden]"}', "stands where a secret is not shown"),
    ],
)
async def test_an_edit_that_is_no_json_or_shows_a_mask_is_refused_with_the_place_and_changes_nothing(yard: Yard, text: str, problem: str):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()

    with pytest.raises(InvalidInput) as refused:
        await yard.hub.failed_records.edit(yard.operator, failed.id, text)

    assert problem in refused.value.fields["payload"]
    assert await yard.failed() == [failed]


async def test_each_time_that_it_failed_is_told_the_latest_twenty(yard: Yard):
    await yard.nameless()
    first = await yard.run()
    (failed,) = await yard.failed()
    await yard.hub.failed_records.edit(yard.operator, failed.id, "[]")
    for _ in range(20):
        await yard.hub.failed_records.retry(yard.operator, yard.connection.id)

    (later,) = await yard.failed()

    assert [(one.run_id, one.stage, one.message, one.edited) for one in failed.tries] == [(first.id, "validate", failed.message, False)]
    assert (failed.tries[0].at, later.attempts, len(later.tries)) == (failed.first_failed_at, 22, 20)
    assert {(one.run_id, one.stage, one.edited) for one in later.tries} == {(None, "assemble", True)}
    assert later.tries[-1].at == later.last_failed_at


async def test_many_are_tried_again_part_by_part_and_none_is_left_out_or_tried_twice(yard: Yard):
    for _ in range(5):
        await yard.nameless()
    await yard.run()
    parts, after = [], None

    while not parts or after is not None:
        parts.append(await yard.hub.failed_records.retry(yard.operator, yard.connection.id, after=after, limit=2))
        after = parts[-1].last

    assert [one.retried for one in parts] == [2, 2, 1]
    assert [one.attempts for one in await yard.failed()] == [2] * 5


async def test_failed_records_are_found_by_their_state_direction_stream_and_cause(yard: Yard):
    await yard.nameless()
    parked = await yard.parked("Parked")
    gone = await yard.nameless()
    await yard.run()
    jobs = await yard.failed(stream="jobs")
    quiet = next(one for one in await yard.failed() if one.external_id == gone)
    await yard.hub.failed_records.dismiss(yard.operator, [quiet.id], reason="A test company")

    assert [one.external_id for one in jobs] == [parked]
    assert await yard.failed(cause=jobs[0].cause, stage="translate") == jobs
    assert [one.id for one in await yard.failed(state="dismissed")] == [quiet.id]
    assert (await yard.failed(direction="push"), len(await yard.failed(direction="pull"))) == ([], 2)
    assert (len(await yard.failed(state=None)), await yard.failed(state="resolved")) == (3, [])
    assert await yard.hub.failed_records.open_count(yard.operator) == 2
    with pytest.raises(InvalidInput, match="no state"):
        await yard.failed(state="lost")


async def test_only_operators_of_the_same_organization_mend_and_dismiss(yard: Yard, hub, owner):
    await yard.nameless()
    await yard.run()
    (failed,) = await yard.failed()
    stranger, viewer = await make_organization(hub), colleague(owner, Role.VIEWER)

    with pytest.raises(FailedRecordNotFound):
        await hub.failed_records.edit(stranger, failed.id, "{}")
    with pytest.raises(FailedRecordNotFound):
        await hub.failed_records.payload(stranger, failed.id)
    with pytest.raises(FailedRecordNotFound):
        await hub.failed_records.dismiss(stranger, [failed.id], reason="Not mine")
    assert (await hub.failed_records.causes(stranger, ALL)).items == []
    for refused in (hub.failed_records.edit(viewer, failed.id, "{}"), hub.failed_records.dismiss(viewer, [failed.id], reason="No")):
        with pytest.raises(PermissionDenied):
            await refused
    assert [one.dismissed_at for one in await yard.failed()] == [None]


@pytest.fixture
async def office(hub, operator, metakocka: RunningMetakocka) -> Office:
    return await Office.open(hub, operator, metakocka)


async def _failed_pushes(office: Office):
    return (await office.hub.failed_records.failed_records(office.operator, ALL, connection_id=office.connection.id)).items


async def _send_queued(office: Office) -> None:
    for delivery in (await office.hub.deliveries.deliveries(office.operator, ALL)).items:
        await office.hub.pushes.send(office.operator.organization_id, delivery.id)


@pytest.mark.requirement("MKD-29", "MKD-35")
async def test_a_push_that_failed_is_pushed_again_and_closed_when_it_has_arrived(office: Office):
    record = await office.create("No address")
    await office.policy(creates_missing=True)
    run = await office.run("push")
    (failed,) = await _failed_pushes(office)
    await office.edit(await office.hub.records.get(office.operator, record.id), address=KRANJ)

    tried = await office.hub.failed_records.retry(office.operator, office.connection.id)
    await _send_queued(office)

    assert (run.status, failed.stage, failed.external_id) == (RunStatus.PARTIALLY_COMPLETED, "push", f"record:{record.id}")
    assert (tried.retried, tried.queued, tried.healed) == (1, 1, 0)
    assert await _failed_pushes(office) == []
    assert (await office.sandbox.partner((await office.mapped(record.id)).external_id))["customer"] == "No address"


async def test_a_push_that_failed_closes_by_itself_when_a_later_run_brings_it_or_nothing_is_left_to_bring(office: Office):
    record = await office.create("No address")
    gone = await office.create("Gone again")
    await office.policy(creates_missing=True)
    await office.run("push")
    assert len(await _failed_pushes(office)) == 2
    await office.edit(await office.hub.records.get(office.operator, record.id), address=KRANJ)
    await office.hub.edits.delete(office.operator, gone.id, version=gone.version)

    await office.run("push")
    await office.hub.failed_records.retry(office.operator, office.connection.id)
    await _send_queued(office)

    assert await _failed_pushes(office) == []


async def test_a_single_push_that_fails_is_a_failed_record_too(office: Office):
    record = await office.create("No address")

    await office.hub.pushes.send(
        office.operator.organization_id, await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    )

    (failed,) = await _failed_pushes(office)
    assert (failed.stage, failed.sync_run_id, failed.external_id) == ("push", None, f"record:{record.id}")
    with pytest.raises(InvalidInput, match="correct the record itself"):
        await office.hub.failed_records.edit(office.operator, failed.id, "{}")
