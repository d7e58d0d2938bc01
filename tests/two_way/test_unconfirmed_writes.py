"""A write that was carried out and never confirmed, of a record that has moved on since: nobody is asked about the hub's own value, and
nothing is made twice."""

import pytest

from app.database import fetch
from app.records.models import Record
from app.syncs.models import RunStatus
from tests.two_way.interruptions import interrupted, refused
from tests.two_way.office import Office


@pytest.fixture
async def moved_on(office: Office, monkeypatch) -> str:
    """A partner that has the hub's second name, which nobody knows; the hub has the third."""
    mk_id = await office.add("First")
    await office.run()
    record = await office.edit(await office.record(mk_id), name="Second")
    await interrupted(office, record.id, monkeypatch, "_confirm")
    assert (await office.sandbox.partner(mk_id))["customer"] == "Second"
    await office.edit(record, name="Third")
    return mk_id


async def _in_step(office: Office, mk_id: str, name: str) -> None:
    mapping = await office.mapped((await office.record(mk_id)).id)
    assert mapping is not None
    assert (mapping.status, await office.conflicts()) == ("synced", [])
    assert (await office.sandbox.partner(mk_id))["customer"] == (await office.record(mk_id)).data["name"] == name


@pytest.mark.parametrize("directions", [("push",), ("pull", "push"), ("two_way",)])
async def test_what_an_interrupted_attempt_left_is_no_news_of_the_providers(office: Office, moved_on: str, directions: tuple[str, ...]):
    for direction in directions:
        run = await office.run(direction)
        assert run.status is RunStatus.COMPLETED

    await _in_step(office, moved_on, "Third")


@pytest.mark.parametrize("directions", [("push",), ("pull", "push"), ("two_way",)])
async def test_what_was_carried_out_before_a_refusal_is_no_news_either(
    office: Office, moved_on: str, monkeypatch, directions: tuple[str, ...]
):
    record = await office.record(moved_on)
    await refused(office, record.id, monkeypatch, "_update")
    await office.edit(record, name="Fourth")

    for direction in directions:
        await office.run(direction)

    await _in_step(office, moved_on, "Fourth")


async def test_what_was_refused_is_somebodys_when_the_provider_has_it(office: Office, monkeypatch):
    mk_id = await office.add("First")
    await office.run()
    record = await office.edit(await office.record(mk_id), name="Second")
    await refused(office, record.id, monkeypatch, "_update")
    await office.edit(record, name="Third")
    await office.sandbox.edit_partner(mk_id, customer="Second")

    await office.run("two_way")

    (conflict,) = await office.conflicts()
    assert (conflict.ours, conflict.theirs) == ("Third", "Second")


async def test_what_was_held_back_for_a_decision_was_not_sent(office: Office, monkeypatch):
    mk_id = await office.add("First")
    await office.run()
    await office.edit(await office.record(mk_id), tax_number="SI11111111")
    await office.sandbox.edit_partner(mk_id, tax_id_number="SI22222222")
    await office.run("two_way")
    asked = await office.conflicts()
    record = await office.edit(await office.record(mk_id), name="Second")
    await interrupted(office, record.id, monkeypatch, "_confirm")
    await office.edit(record, name="Third")

    await office.run("two_way")

    assert [one.id for one in await office.conflicts()] == [one.id for one in asked]
    assert (await office.sandbox.partner(mk_id))["customer"] == "Third"


async def test_what_somebody_wrote_over_it_is_asked_about(office: Office, moved_on: str):
    await office.sandbox.edit_partner(moved_on, customer="Theirs")

    await office.run("two_way")

    (conflict,) = await office.conflicts()
    assert (conflict.ours, conflict.theirs) == ("Third", "Theirs")
    assert (await office.sandbox.partner(moved_on))["customer"] == "Theirs"


async def test_what_somebody_changed_beside_it_is_taken_over(office: Office, moved_on: str):
    await office.sandbox.edit_partner(moved_on, partner_contact_list=[{"name": "Ana", "email": "theirs@acme.test"}])

    await office.run("two_way")

    await _in_step(office, moved_on, "Third")
    assert (await office.record(moved_on)).data["email"] == "theirs@acme.test"


async def test_of_several_attempts_the_one_that_was_carried_out_is_recognized(office: Office, moved_on: str, monkeypatch):
    record = await office.record(moved_on)
    await interrupted(office, record.id, monkeypatch, "_update")
    await office.edit(record, name="Fourth")

    await office.run("two_way")

    await _in_step(office, moved_on, "Fourth")


async def test_an_attempt_that_is_made_again_and_again_is_noted_once(office: Office, moved_on: str, monkeypatch):
    record = await office.record(moved_on)
    for _ in range(4):
        await interrupted(office, record.id, monkeypatch, "_update")

    sql = "SELECT payload, attempts FROM delivery WHERE organization_id = $1 AND status = 'sending'"
    (row,) = await fetch(office.operator.scope, sql, office.operator.organization_id)
    assert [one["version"] for one in row["payload"]["attempts"]] == [2, 3]
    assert (row["payload"]["version"], row["attempts"]) == (3, 5)


@pytest.mark.parametrize("directions", [("push",), ("pull", "push"), ("push", "pull"), ("two_way",)])
async def test_an_edit_that_is_taken_back_in_the_hub_is_taken_back_at_the_provider(
    office: Office, moved_on: str, directions: tuple[str, ...]
):
    await office.edit(await office.record(moved_on), name="First")

    for direction in directions:
        await office.run(direction)

    await _in_step(office, moved_on, "First")


@pytest.fixture
async def renamed(office: Office, monkeypatch) -> Record:
    """A contact without a number that was made at the provider under another name, and nobody knows; twice it was tried again in vain."""
    record = await office.create("First", phone="+386 1 000", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    await interrupted(office, record.id, monkeypatch, "_confirm")
    for name in ("Second", "Third"):
        record = await office.edit(record, name=name)
        await interrupted(office, record.id, monkeypatch, "_create")
    return record


async def _is_one(office: Office, record: Record) -> None:
    mapping = await office.mapped(record.id)
    assert mapping is not None
    assert (mapping.status, await office.conflicts(), await office.living()) == ("synced", [], 1)
    (made,) = await office.sandbox.effects(object="partner", effect="created")
    assert (made["mk_id"], (await office.sandbox.partner(made["mk_id"]))["customer"]) == (mapping.external_id, "Third")


@pytest.mark.parametrize("directions", [("push",), ("pull", "push"), ("two_way",)])
async def test_what_was_made_before_a_refusal_is_not_made_again(office: Office, monkeypatch, directions: tuple[str, ...]):
    record = await office.create("First", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    await interrupted(office, record.id, monkeypatch, "_confirm")
    record = await office.edit(record, name="Second")
    await refused(office, record.id, monkeypatch, "_create")
    record = await office.edit(record, name="Third")
    await office.policy(creates_missing=True)

    for direction in directions:
        await office.run(direction)

    await _is_one(office, record)


@pytest.mark.parametrize("directions", [("push",), ("pull", "push"), ("two_way",)])
async def test_what_was_made_under_an_earlier_name_is_not_made_again(office: Office, renamed: Record, directions: tuple[str, ...]):
    await office.policy(creates_missing=True)

    for direction in directions:
        await office.run(direction)

    await _is_one(office, renamed)


async def test_somebody_elses_of_that_name_is_another_one(office: Office, monkeypatch):
    record = await office.create("First", address={"street": "Nova 1", "city": "Kranj", "country": "SI"})
    await interrupted(office, record.id, monkeypatch, "_create")
    record = await office.edit(record, name="Second")
    theirs = await office.add("First")
    await office.policy(creates_missing=True)

    await office.run("push")

    mapping = await office.mapped(record.id)
    assert mapping is not None
    assert (mapping.status, mapping.external_id == theirs) == ("synced", False)
    assert [(await office.sandbox.partner(mk_id))["customer"] for mk_id in (mapping.external_id, theirs)] == ["Second", "First"]


async def test_what_was_sent_before_the_base_was_seen_is_somebodys_when_it_comes_back(office: Office, monkeypatch):
    mk_id = await office.add("First")
    await office.run()
    record = await office.edit(await office.record(mk_id), name="Second")
    await interrupted(office, record.id, monkeypatch, "_update")  # it did not come to the write
    await office.sandbox.edit_partner(mk_id, customer="Theirs")
    await office.run("pull")
    (conflict,) = await office.conflicts()
    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="ours")
    await office.edit(await office.record(mk_id), name="Third")

    await office.sandbox.edit_partner(mk_id, customer="Second")
    await office.run("pull")

    assert [(one.ours, one.theirs) for one in await office.conflicts()] == [("Third", "Second")]
