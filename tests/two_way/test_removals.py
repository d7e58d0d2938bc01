"""What the hub deletes and its provider is to lose too: read before it is taken away, and asked about where it had changed there."""

import pytest

from tests.connectors.metakocka.company import add_document
from tests.two_way.interruptions import interrupted
from tests.two_way.office import Office
from tests.two_way.planning import applied, items, planned

ORDER = "sales_order"


@pytest.fixture
async def removed(office: Office) -> tuple[Office, str]:
    """An order that is deleted in the hub and waits to be deleted at Metakocka; its id there."""
    mk_id = str((await add_document(office.sandbox, ORDER))["mk_id"])
    await office.run(streams=("orders",))
    await office.policy("orders", hub_deletions="propagate")
    record = await office.record(mk_id)
    await office.hub.edits.delete(office.operator, record.id, version=record.version)
    return office, mk_id


async def _push(office: Office) -> int:
    return (await office.run("push", streams=("orders",))).counts.deleted


async def _numbers(office: Office) -> list[str]:
    return [str(document["mk_id"]) for document in await office.sandbox.documents(ORDER)]


async def test_what_the_hub_deletes_goes_at_the_provider_once(removed):
    office, mk_id = removed

    assert [await _push(office), await _push(office)] == [1, 0]

    assert await _numbers(office) == []
    assert len(await office.sandbox.effects(object=ORDER, effect="deleted")) == 1
    assert (await office.mapped((await office.record(mk_id)).id)).status == "deleted"


async def test_what_is_gone_there_already_needs_no_deletion(removed):
    office, mk_id = removed
    await office.sandbox.delete_document(ORDER, mk_id)

    assert await _push(office) == 1
    assert await office.conflicts() == []


@pytest.mark.parametrize("is_read_first", [False, True])
async def test_a_change_at_the_provider_is_asked_about_and_not_deleted(removed, is_read_first: bool):
    office, mk_id = removed
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed there")
    if is_read_first:
        await office.run(streams=("orders",))

    assert [await _push(office), await _push(office)] == [0, 0]

    (conflict,) = await office.conflicts()
    assert (conflict.field, conflict.ours, conflict.theirs["title"]) == ("deleted", None, "Changed there")
    assert await _numbers(office) == [mk_id]
    assert (await office.record(mk_id)).deleted_at is not None


async def test_a_plan_shows_what_would_go_and_what_would_be_asked_about(removed):
    office, mk_id = removed
    (item,) = await items(office, await planned(office, direction="push", streams=("orders",)))
    assert item.kind == "delete"
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed there")

    plan = await planned(office, direction="push", streams=("orders",))
    (item,) = await items(office, plan)
    assert (item.kind, item.fields["deleted"]["theirs"]["title"]) == ("conflict", "Changed there")
    await applied(office, plan)

    (conflict,) = await office.conflicts()
    assert (conflict.field, await _numbers(office)) == ("deleted", [mk_id])


async def test_it_goes_once_somebody_has_seen_the_change_and_says_so(removed):
    office, mk_id = removed
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed there")
    await _push(office)
    (conflict,) = await office.conflicts()

    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="ours")

    assert await _push(office) == 1
    assert (await _numbers(office), await office.conflicts()) == ([], [])


async def test_a_second_change_after_the_decision_is_asked_about_again(removed):
    office, mk_id = removed
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed there")
    await _push(office)
    (conflict,) = await office.conflicts()
    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="ours")
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed once more")

    assert await _push(office) == 0

    (second,) = await office.conflicts()
    assert (second.theirs["title"], await _numbers(office)) == ("Changed once more", [mk_id])


async def _restored(office: Office, mk_id: str) -> None:
    """Somebody brings the record back as it was."""
    record = await office.record(mk_id)
    await office.hub.edits.restore(office.operator, record.id, version=record.version, to_version=record.version - 1)


@pytest.mark.parametrize("directions", [("pull",), ("push", "pull"), ("two_way",)])
async def test_what_is_restored_after_a_removal_that_nobody_could_confirm_is_asked_about(removed, monkeypatch, directions):
    office, mk_id = removed
    await interrupted(office, (await office.record(mk_id)).id, monkeypatch, "_end", stream="orders")
    assert await _numbers(office) == []
    await _restored(office, mk_id)

    for direction in directions:
        await office.run(direction, streams=("orders",))

    record = await office.record(mk_id)
    (conflict,) = await office.conflicts()
    assert (record.deleted_at, conflict.field, conflict.theirs) == (None, "deleted", None)


async def test_what_is_restored_in_time_is_not_removed(removed):
    office, mk_id = removed
    await _restored(office, mk_id)

    await office.run("two_way", streams=("orders",))

    record = await office.record(mk_id)
    assert (record.deleted_at, await office.conflicts(), await _numbers(office)) == (None, [], [mk_id])
    assert (await office.mapped(record.id)).status == "synced"


async def test_it_lives_on_as_the_provider_has_it_where_somebody_wants_that(removed):
    office, mk_id = removed
    await office.sandbox.edit_document(ORDER, mk_id, title="Changed there")
    await _push(office)
    (conflict,) = await office.conflicts()

    await office.hub.conflicts.resolve(office.operator, conflict.id, resolution="theirs")

    assert await _push(office) == 0
    record = await office.record(mk_id)
    assert (record.deleted_at, record.data["title"], await _numbers(office)) == (None, "Changed there", [mk_id])
    assert (await office.mapped(record.id)).status == "synced"
