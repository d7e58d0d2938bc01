"""Decisions on conflicts taken back: the record has its former value. Not where something has come of them; Metakocka's sandbox."""

import asyncio
from typing import Any

import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.conflicts.models import DELETED, Conflict
from app.conflicts.reopening import ConflictOpen, DecisionCarriedOut
from app.conflicts.service import ConflictNotFound
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.errors import IdempotencyKeyReused, PermissionDenied
from app.records.editing import RecordChanged
from app.records.models import Record
from tests.factories import colleague, key, make_organization
from tests.two_way.office import Office


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


async def clash(office: Office, name: str = "Acme") -> Conflict:
    """A partner whose name both sides changed."""
    mk_id = await office.add(name)
    await office.run()
    await office.edit(await office.record(mk_id), name=f"{name}, ours")
    await office.sandbox.edit_partner(mk_id, customer=f"{name}, theirs")
    await office.run()
    return next(one for one in await office.conflicts() if one.external_id == mk_id)


async def decide(office: Office, conflict: Conflict, resolution: str, value: Any = None) -> None:
    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution=resolution, value=value)


async def reopen(office: Office, conflict: Conflict, **values: Any) -> None:
    await office.hub.reopenings.reopen(office.operator, conflict.id, **values)


async def record_of(office: Office, conflict: Conflict) -> Record:
    return await office.hub.records.get(office.operator, conflict.record_id)


@pytest.mark.requirement("MKC-45")
@pytest.mark.parametrize(("resolution", "value"), [("ours", None), ("theirs", None), ("value", "Acme, third")])
async def test_a_decision_is_taken_back_and_the_conflict_waits_as_before(office: Office, resolution: str, value: str | None):
    conflict = await clash(office)
    await decide(office, conflict, resolution, value)
    await office.edit(await record_of(office, conflict), notes="Rings twice")

    await reopen(office, conflict)

    (waiting,) = await office.conflicts()
    assert (waiting.id, waiting.resolution, waiting.resolved_by, waiting.value) == (conflict.id, None, None, None)
    assert (waiting.base, waiting.ours, waiting.theirs) == ("Acme", "Acme, ours", "Acme, theirs")
    data = (await record_of(office, conflict)).data
    assert (data["name"], data["notes"]) == ("Acme, ours", "Rings twice")
    mapping = await office.mapped(conflict.record_id)
    assert mapping is not None
    assert mapping.status == "conflict"


async def test_a_reopened_conflict_holds_its_field_back_and_can_be_decided_otherwise(office: Office):
    conflict = await clash(office)
    await decide(office, conflict, "theirs")
    await reopen(office, conflict)

    await office.run("two_way")
    held = (await office.sandbox.partner(conflict.external_id))["customer"]
    await decide(office, conflict, "ours")
    await office.run("two_way")

    assert held == "Acme, theirs"
    assert (await office.sandbox.partner(conflict.external_id))["customer"] == "Acme, ours"
    assert await office.conflicts() == []


async def test_a_decision_that_the_provider_has_is_not_taken_back(office: Office):
    conflict = await clash(office)
    await decide(office, conflict, "ours")
    await office.run("push")

    with pytest.raises(DecisionCarriedOut):
        await reopen(office, conflict)

    assert (await record_of(office, conflict)).data["name"] == "Acme, ours"
    assert await office.conflicts() == []


async def test_what_somebody_wrote_since_is_not_overwritten(office: Office):
    conflict = await clash(office)
    await decide(office, conflict, "theirs")
    await office.edit(await record_of(office, conflict), name="Somebody else's")

    with pytest.raises(RecordChanged):
        await reopen(office, conflict)

    assert (await record_of(office, conflict)).data["name"] == "Somebody else's"


async def test_a_deletion_that_was_decided_is_taken_back(office: Office):
    """The hub deleted what Metakocka changed."""
    mk_id = await office.add("Acme")
    await office.run()
    record = await office.record(mk_id)
    await office.hub.edits.delete(office.operator, record.id, version=record.version)
    await office.sandbox.edit_partner(mk_id, customer="Acme, theirs")
    await office.run()
    (conflict,) = await office.conflicts()
    await decide(office, conflict, "theirs")
    revived = await record_of(office, conflict)

    await reopen(office, conflict)

    (waiting,) = await office.conflicts()
    assert (conflict.field, waiting.id) == (DELETED, conflict.id)
    assert (revived.deleted_at, revived.data["name"]) == (None, "Acme, theirs")
    assert (await record_of(office, conflict)).deleted_at is not None


async def test_of_many_those_that_can_be_are_taken_back_and_a_repeat_changes_nothing(office: Office):
    conflicts = [await clash(office, name) for name in ("Anton", "Berta")]
    for conflict in conflicts:
        await decide(office, conflict, "theirs")
    await office.edit(await record_of(office, conflicts[1]), name="Somebody else's")
    ids, same = [conflict.id for conflict in conflicts], key()
    reopen_many = office.hub.reopenings.reopen_many

    done = await reopen_many(office.operator, ids, idempotency_key=same)
    await decide(office, conflicts[0], "theirs")
    repeated = await reopen_many(office.operator, ids, idempotency_key=same)

    assert (done.reopened, list(done.refused)) == ([ids[0]], [ids[1]])
    assert repeated == done
    assert await office.conflicts() == []
    with pytest.raises(IdempotencyKeyReused):
        await reopen_many(office.operator, ids[:1], idempotency_key=same)


async def test_what_is_open_or_not_ones_own_is_refused(office: Office, hub: Hub, owner: Actor):
    conflict = await clash(office)

    with pytest.raises(ConflictOpen):
        await reopen(office, conflict)
    await decide(office, conflict, "theirs")
    with pytest.raises(ConflictNotFound):
        await hub.reopenings.reopen(await make_organization(hub), conflict.id)
    with pytest.raises(PermissionDenied):
        await hub.reopenings.reopen(colleague(owner, Role.VIEWER), conflict.id)


async def test_two_who_take_it_back_at_once_do_it_once(office: Office):
    conflict = await clash(office)
    await decide(office, conflict, "theirs")
    before = (await record_of(office, conflict)).version

    outcomes = await asyncio.gather(*(reopen(office, conflict) for _ in range(4)), return_exceptions=True)

    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, ConflictOpen) for outcome in outcomes)
    assert (await record_of(office, conflict)).version == before + 1


async def test_many_decided_alike_with_one_key_are_decided_once(office: Office):
    conflict, same = await clash(office), key()
    resolve_many = office.hub.conflicts.resolve_many

    done = await resolve_many(office.operator, [conflict.id], resolution="theirs", idempotency_key=same)
    await reopen(office, conflict)
    repeated = await resolve_many(office.operator, [conflict.id], resolution="theirs", idempotency_key=same)

    assert (done.resolved, repeated) == ([conflict.id], done)
    assert len(await office.conflicts()) == 1


async def test_a_restored_record_is_restored_once_with_one_key(office: Office):
    record, same = await office.create("First"), key()
    changed = await office.edit(record, name="Second")
    restore = office.hub.edits.restore

    for _ in range(2):
        restored = await restore(office.operator, record.id, version=changed.version, to_version=1, idempotency_key=same)

    assert (restored.version, restored.data["name"]) == (3, "First")


async def test_open_conflicts_are_counted_and_their_fields_named(office: Office):
    await clash(office, "Anton")
    decided = await clash(office, "Berta")
    count = office.hub.conflicts.count_open

    both = await count(office.operator, 100)
    few = await count(office.operator, 0)
    await decide(office, decided, "ours")

    assert (both, few) == (2, 1)
    assert await count(office.operator, 100, connection_id=office.connection.id) == 1
    assert await count(office.operator, 100, connection_id=decided.id) == 0
    assert await office.hub.conflicts.open_fields(office.operator) == ["name"]
