"""Quotes follow the jobs they come from: what appears, changes, leaves and returns."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.database import transaction
from app.paging import PageRequest
from app.quotes.models import ConnectionRef, QuoteStatus
from app.quotes.service import QuoteChanged, QuoteExpired, QuoteNotOpen
from app.records.models import RecordChange
from tests import factories
from tests.quotes.world import World, invite, make_world


@pytest.mark.requirement("SM8-09", "SM8-18")
async def test_a_job_in_status_quote_is_a_quote_with_lines_taxes_and_totals(world: World):
    quote = await world.quote()

    assert (quote.status, quote.version, quote.title, quote.contact_name) == ("open", 1, "Replace switchboard", "Žagar & Co 🐝")
    assert [(line.description, line.quantity, line.unit_price, line.amount, line.tax) for line in quote.lines] == [
        ("Switchboard", Decimal("1"), Decimal("1500"), Decimal("1500.00"), Decimal("150.00")),
        ("Labour", Decimal("2.5"), Decimal("90"), Decimal("225.00"), Decimal("22.50")),
        ("Surge arrester", Decimal("3"), Decimal("33.33"), Decimal("99.99"), Decimal("10.00")),
    ]
    assert (quote.currency, quote.subtotal, quote.tax, quote.total) == ("AUD", Decimal("1824.99"), Decimal("182.50"), Decimal("2007.49"))


async def test_syncing_again_changes_nothing(world: World):
    before = await world.quote()

    run = await factories.sync(world.hub, world.operator, world.connection, mode="full")

    assert (run.status, await world.quote()) == ("completed", before)


async def test_a_changed_line_makes_a_new_version_and_an_old_page_is_told_what_changed(world: World):
    old = await world.quote()
    (line,) = await world.sandbox.records("jobmaterial", job_uuid=world.job, name="Labour")
    await world.sandbox.edit("jobmaterial", line["uuid"], price="95.00")
    await world.sync()

    with pytest.raises(QuoteChanged) as refused:
        await world.approve(version=old.version)

    assert refused.value.current_version == 2
    (change,) = refused.value.changes
    assert (change.description, change.old.unit_price, change.new.unit_price) == ("Labour", 90, 95)
    assert [field.name for field in refused.value.fields] == ["total"]
    quote = await world.quote()
    assert {line.id for line in quote.lines} == {line.id for line in old.lines}
    assert [version.version for version in quote.versions] == [2, 1]


async def test_a_new_address_is_no_new_version(world: World):
    await world.sandbox.edit("job", world.job, job_address="2 Low St")
    await world.sync()

    quote = await world.quote()
    assert (quote.version, quote.site_address) == (1, "2 Low St")


async def test_added_and_removed_lines_follow(world: World):
    (line,) = await world.sandbox.records("jobmaterial", job_uuid=world.job, name="Labour")
    await world.sandbox.remove_line(world.job, line["uuid"])
    await world.sandbox.add_line(world.job, name="Travel", quantity="1", price="10")
    await world.sync()

    assert {line.description for line in (await world.quote()).lines} == {"Switchboard", "Surge arrester", "Travel"}


async def test_a_job_that_leaves_quote_without_our_decision_is_withdrawn_and_opens_when_it_is_back(world: World):
    await world.sandbox.edit("job", world.job, status="Work Order")
    await world.sync()
    gone = await world.quote()
    with pytest.raises(QuoteNotOpen):
        await world.approve()
    await world.sandbox.edit("job", world.job, status="Quote")
    await world.sync()

    assert (gone.status, gone.provider_status) == (QuoteStatus.WITHDRAWN, "work_order")
    assert (await world.quote()).status is QuoteStatus.OPEN


async def test_a_deleted_job_is_withdrawn(world: World):
    await world.sandbox.delete("job", world.job)
    await world.sync()

    quote = await world.quote()
    assert (quote.status, quote.provider_status) == (QuoteStatus.WITHDRAWN, "deleted")


async def test_our_decision_explains_a_job_that_left_quote(world: World):
    await world.approve()
    await world.sandbox.edit("job", world.job, status="Work Order")
    await world.sync()

    quote = await world.quote()
    assert (quote.status, quote.provider_status) == (QuoteStatus.APPROVED, "work_order")


async def test_a_job_that_was_read_before_our_write_and_stored_after_it_does_not_undo_the_decision(world: World):
    record = await world.hub.records.get(world.operator, world.quote_id)
    await world.approve()
    await world.deliver()
    stale = RecordChange(world.quote_id, world.job, "job", record.data, dict(record.data))

    async with transaction(world.operator.scope):
        await world.hub.quotes.project(world.operator.scope, ConnectionRef(world.connection.id, "servicem8", "AUD"), [stale])

    assert (await world.quote()).status is QuoteStatus.APPROVED


async def test_a_quote_that_staff_reopened_before_any_sync_saw_the_decision_opens_again(world: World):
    await world.sandbox.set_clock(offset_seconds=0)
    await world.approve()
    await world.deliver()
    await world.sandbox.set_clock(offset_seconds=30)
    await world.sandbox.edit("job", world.job, status="Quote")
    await world.sync()

    quote = await world.quote()
    assert (quote.status, quote.version, len(quote.history)) == (QuoteStatus.OPEN, 1, 1)


async def test_a_job_whose_amounts_make_no_sense_is_a_failure_of_its_own(world: World):
    record = await world.hub.records.get(world.operator, world.quote_id)
    broken = dict(record.data) | {"lines": [{"external_id": "1", "description": "Gold", "quantity": "9E+20", "unit_price": "9E+20"}]}
    change = RecordChange(world.quote_id, world.job, "job", record.data, broken)

    async with transaction(world.operator.scope):
        failures = await world.hub.quotes.project(world.operator.scope, ConnectionRef(world.connection.id, "servicem8", "AUD"), [change])

    assert [(failure.external_id, "out of range" in failure.message) for failure in failures] == [(world.job, True)]
    assert (await world.quote()).version == 1


async def test_quotes_carry_the_present_name_of_their_contact(world: World):
    await world.sandbox.edit("company", world.company, name="Žagar & Daughters")
    await world.sync()

    assert (await world.quote()).contact_name == "Žagar & Daughters"


async def test_a_quote_that_moves_to_another_client_leaves_the_first_one_s_sight(world: World):
    other = (await world.sandbox.create("company", name="Another Ltd"))["uuid"]
    await world.sync()
    stranger = await invite(world.hub, world.operator, world.connection, "Steve Stranger", other)
    await world.sandbox.edit("job", world.job, company_uuid=other)
    await world.sync()

    moved = await world.quote(stranger)

    assert (len(moved.lines), [version.version for version in moved.versions]) == (3, [1])
    assert (await world.hub.quotes.quotes(world.contact, PageRequest())).items == []


async def test_an_expired_quote_is_refused_by_the_server_s_clock(world: World):
    issued = world.hub.now()
    await world.hub.quotes.set_validity(world.operator, world.quote_id, valid_until=issued)

    with pytest.raises(QuoteExpired):
        await world.approve()

    assert (await world.quote()).status is QuoteStatus.EXPIRED
    for status, count in ((QuoteStatus.EXPIRED, 1), (QuoteStatus.OPEN, 0)):
        assert await world.hub.quotes.count(world.operator, status=status) == count
        assert len((await world.hub.quotes.quotes(world.contact, PageRequest(), status=status)).items) == count


async def test_every_visible_change_counts_the_revision_up_and_is_told(world: World):
    start = await world.hub.feed.head(world.contact.scope)
    await world.approve()
    await world.deliver()

    changes = world.hub.feed.changes(world.contact.scope, topics=["quote"], subject_id=world.quote_id, after=start)
    revisions = [(await anext(changes)).revision for _ in range(3)]

    assert revisions == sorted(set(revisions))
    assert revisions[-1] == (await world.quote()).revision


async def test_lists_go_page_by_page_and_by_client(hub, owner, sandbox):
    world = await make_world(hub, owner, sandbox)
    for number in range(5):
        job = await sandbox.create("job", company_uuid=world.company, status="Quote", job_description=f"Job {number}")
        await sandbox.add_line(job["uuid"], name="Work", quantity="1", price="10")
    await world.sync()

    first = await hub.quotes.quotes(world.contact, PageRequest(first=4))
    rest = await hub.quotes.quotes(world.contact, PageRequest(first=4, after=first.cursors[-1]))

    assert (len(first.items), first.has_next, len(rest.items), rest.has_next) == (4, True, 2, False)
    found = await hub.quotes.lines_of(world.contact, [quote.id for quote in first.items])
    assert {len(lines) for lines in found.values()} == {1}
    narrowed = await hub.quotes.quotes(
        world.operator, PageRequest(), contact_external_id=world.company, client_id=world.contact.scope.client_id
    )
    assert len(narrowed.items) == 6
    assert replace(narrowed.items[0]).client_id == world.contact.scope.client_id
