"""Orders of events in which something could be lost, doubled, overwritten, or seen by the wrong company."""

import asyncio

import pytest

from app.database import transaction
from app.paging import PageRequest
from app.quotes.models import QuoteStatus
from app.quotes.refusals import QuoteNotFound
from app.syncs.models import RunStatus
from app.syncs.walks import lock_records_of
from tests.factories import make_connection, sync
from tests.hostile.liar import edits, lying, only
from tests.quotes.world import invite

ALL = PageRequest(100)


async def _failures(hub, actor, connection):
    return (await hub.failed_records.failed_records(actor, ALL, connection_id=connection.id)).items


@pytest.fixture
async def acme(clean_sandbox):
    await clean_sandbox.set_clock(offset_seconds=-7200)
    company = await clean_sandbox.create("company", name="Acme", address="1 High St")
    contact = await clean_sandbox.create("companycontact", company_uuid=company["uuid"], first="Ann", email="ann@acme.test", type="BILLING")
    return company["uuid"], contact["uuid"]


async def test_a_changed_contact_does_not_hide_that_its_company_failed(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    await clean_sandbox.edit("company", acme[0], name="", address="2 Low St")
    await clean_sandbox.set_clock()
    await clean_sandbox.create("company", name="Later")  # from here on the broken version is not read again
    await sync(hub, operator, connection)
    await clean_sandbox.edit("companycontact", acme[1], email="new@acme.test")

    await sync(hub, operator, connection)

    (failed,) = await _failures(hub, operator, connection)
    assert (failed.external_id, "2 Low St" in failed.payload) == (acme[0], True)


async def test_a_company_that_failed_for_its_contact_heals_with_it(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await clean_sandbox.edit("companycontact", acme[1], email="x" * 600)
    first = await sync(hub, operator, connection)
    await clean_sandbox.edit("companycontact", acme[1], email="well@acme.test")

    second = await sync(hub, operator, connection)

    assert (first.status, second.status) == (RunStatus.PARTIALLY_COMPLETED, RunStatus.COMPLETED)
    assert await _failures(hub, operator, connection) == []
    (contact,) = (await hub.records.contacts(operator, ALL)).items
    assert contact.data["email"] == "well@acme.test"


async def test_retrying_a_failed_record_never_puts_an_older_version_over_a_newer(hub, operator, clean_sandbox, acme):
    """The retry begins while a run's page with a newer version is about to commit."""
    connection = await make_connection(hub, operator, clean_sandbox)
    await clean_sandbox.edit("company", acme[0], name="")
    await sync(hub, operator, connection)
    await clean_sandbox.edit("company", acme[0], name="Newer")
    await clean_sandbox.fault("slow", path="*/company.json", milliseconds=400)
    run = await hub.syncs.start(operator, connection.id, streams=["companies"])
    with lying(hub) as transport:
        page = asyncio.create_task(hub.syncs.advance(operator.organization_id, run.id))
        while not any("/company.json" in asked for asked in transport.asked):
            await asyncio.sleep(0.01)
        async with transaction(operator.scope):
            await lock_records_of(operator.scope, connection.id, "companies")
            await asyncio.sleep(0.7)  # the page has come and waits
            retry = asyncio.create_task(hub.failed_records.retry(operator, connection.id))
            await asyncio.sleep(0.3)
        await asyncio.gather(page, retry)

    (contact,) = (await hub.records.contacts(operator, ALL)).items
    assert contact.data["name"] == "Newer"
    assert await _failures(hub, operator, connection) == []


async def test_a_line_that_belongs_to_no_job_any_more_is_on_no_quote(world):
    (line,) = [line for line in await world.sandbox.records("jobmaterial") if line["name"] == "Labour"]
    await world.sandbox.edit("jobmaterial", line["uuid"], job_uuid="")

    await sync(world.hub, world.operator, world.connection)

    assert {line.description for line in (await world.quote()).lines} == {"Switchboard", "Surge arrester"}


async def test_a_line_that_moves_to_another_job_moves_between_the_quotes(world):
    other = await world.sandbox.create("job", company_uuid=world.company, status="Quote", job_description="Other")
    (line,) = [line for line in await world.sandbox.records("jobmaterial") if line["name"] == "Labour"]
    await world.sandbox.edit("jobmaterial", line["uuid"], job_uuid=other["uuid"])

    await world.sync()

    quotes = {quote.title: quote.id for quote in (await world.hub.quotes.quotes(world.operator, ALL)).items}
    lines = {title: {line.description for line in (await world.hub.quotes.quote(world.operator, id)).lines} for title, id in quotes.items()}
    assert lines == {"Replace switchboard": {"Switchboard", "Surge arrester"}, "Other": {"Labour"}}


@pytest.mark.parametrize("synced", [False, True])
async def test_a_decision_is_not_applied_to_a_quote_that_is_for_somebody_else_now(world, synced):
    await world.approve()
    rival = await world.sandbox.create("company", name="Rival")
    await world.sandbox.edit("job", world.job, company_uuid=rival["uuid"])
    if synced:
        await world.sync()

    delivery = await world.hub.deliveries.deliveries(world.operator, ALL)
    await world.hub.deliveries.deliver(world.operator.organization_id, delivery.items[0].id)
    await world.sync()

    assert (await world.sandbox.record("job", world.job))["status"] == "Quote"
    quote = await world.quote(world.operator)
    assert (quote.status, quote.contact_name, quote.delivery.status) == (QuoteStatus.OPEN, "Rival", "not_applied")
    with pytest.raises(QuoteNotFound):
        await world.quote()
    newcomer = await invite(world.hub, world.operator, world.connection, "Rita Rival", rival["uuid"])
    assert {line.decision for line in (await world.quote(newcomer)).lines} == {"pending"}


async def test_a_quote_taken_back_and_given_to_somebody_else_leaves_the_first_clients_sight(world):
    await world.approve()
    await world.deliver()
    await world.sync()
    rival = await world.sandbox.create("company", name="Rival")
    await world.sandbox.edit("job", world.job, company_uuid=rival["uuid"], status="Quote")

    await world.sync()

    quote = await world.quote(world.operator)
    assert (quote.status, quote.contact_name) == (QuoteStatus.OPEN, "Rival")
    with pytest.raises(QuoteNotFound):
        await world.quote()


async def test_a_client_invited_while_its_quotes_are_read_gets_all_of_them(hub, operator, clean_sandbox, acme):
    connection = await make_connection(hub, operator, clean_sandbox)
    await sync(hub, operator, connection)
    for number in range(6):
        await clean_sandbox.create("job", company_uuid=acme[0], status="Quote", job_description=f"Work {number}")
    project = hub.quotes.project
    looked = asyncio.Event()

    async def slowly(*arguments):
        found = await project(*arguments)
        looked.set()
        await asyncio.sleep(0.5)
        return found

    writer = hub.walker.pages
    writer._projections["job"] = slowly
    try:
        reading = asyncio.create_task(sync(hub, operator, connection))
        await looked.wait()
        contact = await invite(hub, operator, connection, "Ann", acme[0])
        await reading
    finally:
        writer._projections["job"] = project

    assert len((await hub.quotes.quotes(contact, ALL)).items) == 6


@pytest.mark.parametrize("changed", [{"uuid": "another-account"}, {"currency": "EUR"}, {"timezone_name": "Europe/Ljubljana"}])
async def test_nothing_is_read_from_another_account_behind_the_same_key(world, changed):
    vendor = (await world.sandbox.records("vendor"))[0]
    await world.sandbox.edit("job", world.job, job_description="Not ours")

    with lying(world.hub, edits("/vendor.json", only(vendor["uuid"], **changed))):
        run = await sync(world.hub, world.operator, world.connection)

    assert (run.status, run.fix_by) == (RunStatus.FAILED, "customer")
    assert "another account" in run.error_message or "Add a new connection" in run.error_message
    assert (await world.quote()).title == "Replace switchboard"
    assert (await world.hub.connections.get(world.operator, world.connection.id)).status == "needs_attention"
