"""What is particular about reading ServiceM8, against its sandbox."""

import json

import pytest

from app.connectors.base import Account, Item, Mode, Page, Part, Walk
from app.connectors.errors import RequestRejected, UnexpectedResponse
from app.connectors.servicem8.connector import connector
from app.connectors.servicem8.payloads import TAX_PERCENT
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.mappings.translate import Translator
from tests.connectors.kit import read_all, servicem8
from tests.connectors.servicem8.subject import make_job, make_quote

COMPANIES, JOBS, QUOTES = (connector.streams[name] for name in ("companies", "jobs", "quotes"))


def ids(pages: list[Page]) -> set[str]:
    return {item.external_id for page in pages for item in page.items}


def parts(pages: list[Page]) -> dict[str, Part]:
    return {part.external_id: part for page in pages for part in page.parts}


def next_walk(pages: list[Page], **narrowed: str) -> Walk:
    return Walk(Mode.INCREMENTAL, saved=pages[-1].state, narrowed_to=narrowed)


@pytest.mark.requirement("SM8-12")
async def test_a_job_comes_with_its_materials_their_prices_and_tax(sm8: RunningSandbox):
    job, lines = await make_quote(sm8, 3)
    async with servicem8(sm8) as opened:
        pages = await read_all(JOBS, opened.session, Walk(Mode.FULL))
        account = opened.session.account or Account(id="", name="")

    found = next(item for page in pages for item in page.items if item.external_id == job)
    document = JOBS.assemble(found.payload, [part for part in parts(pages).values() if part.parent_id == job], account)
    record = Translator("job", JOBS.fields).translate(document, account)

    assert [line.external_id for line in record.lines] == [line["uuid"] for line in lines]
    assert [(str(line.quantity), str(line.unit_price), str(line.tax_rate)) for line in record.lines] == [
        ("1.5000", "110.0000", "10"),
        ("2.5000", "100.0000", "10"),
        ("3.5000", "110.0000", "10"),
    ]


async def test_a_changed_line_comes_though_its_job_did_not_change(sm8: RunningSandbox):
    _, lines = await make_quote(sm8)
    async with servicem8(sm8) as opened:
        first = await read_all(JOBS, opened.session, Walk(Mode.FULL))
        await sm8.edit("jobmaterial", lines[0]["uuid"], name="A better switchboard")
        await sm8.delete("jobmaterial", lines[1]["uuid"])
        second = await read_all(JOBS, opened.session, next_walk(first))

    assert b"A better switchboard" in parts(second)[lines[0]["uuid"]].payload
    assert parts(second)[lines[1]["uuid"]].payload == b""


async def test_when_a_tax_rate_changes_all_lines_are_read_again(sm8: RunningSandbox):
    _, lines = await make_quote(sm8)
    rate = next(rate for rate in await sm8.records("taxrate") if rate["amount"] == "10")
    async with servicem8(sm8) as opened:
        first = await read_all(JOBS, opened.session, Walk(Mode.FULL))
        await sm8.set_clock(offset_seconds=3600)
        untouched = await read_all(JOBS, opened.session, next_walk(first))
        await sm8.edit("taxrate", rate["uuid"], amount="12.5")
        second = await read_all(JOBS, opened.session, next_walk(untouched))

    assert len(parts(untouched)) < len(lines) + 1
    assert {json.loads(part.payload)[TAX_PERCENT] for part in parts(second).values()} == {"12.5"}
    assert set(parts(second)) == {line["uuid"] for line in lines}


async def test_a_job_that_leaves_the_quotes_comes_with_the_next_walk_over_quotes(sm8: RunningSandbox):
    job, _ = await make_quote(sm8)
    never = await make_job(sm8, status="Completed")
    async with servicem8(sm8) as opened:
        first = await read_all(QUOTES, opened.session, Walk(Mode.FULL))
        await sm8.edit("job", job, status="Work Order")
        full = await read_all(QUOTES, opened.session, Walk(Mode.FULL, saved=first[-1].state))
        second = await read_all(QUOTES, opened.session, next_walk(full))

    assert ids(first) == {job}
    assert ids(full) == set()
    assert ids(second) == {job}
    assert never not in ids(second)


async def test_jobs_and_quotes_can_be_narrowed_to_a_company(sm8: RunningSandbox):
    job, _ = await make_quote(sm8)
    other, _ = await make_quote(sm8)
    company = (await sm8.record("job", job))["company_uuid"]
    async with servicem8(sm8) as opened:
        for stream in (JOBS, QUOTES):
            everything = await read_all(stream, opened.session, Walk(Mode.FULL))
            narrowed = await read_all(stream, opened.session, Walk(Mode.FULL, narrowed_to={"contact_external_id": company}))
            assert ids(narrowed) == {job}
            assert ids(everything) == {job, other}
            assert job in ids(await read_all(stream, opened.session, next_walk(everything, contact_external_id=company)))
        with pytest.raises(RequestRejected):
            await read_all(JOBS, opened.session, Walk(Mode.FULL, narrowed_to={"contact_external_id": "x' or '1' eq '1"}))
        with pytest.raises(RequestRejected, match="narrowed"):
            await read_all(COMPANIES, opened.session, Walk(Mode.FULL, narrowed_to={"contact_external_id": company}))


@pytest.mark.requirement("SM8-67", "SM8-69")
async def test_what_is_edited_on_a_page_already_read_while_the_walk_goes_on_is_not_lost(sm8: RunningSandbox):
    for number in range(8):
        await sm8.create("company", name=f"Company {number}")
    await sm8.set_clock(offset_seconds=-3600)
    for company in await sm8.records("company"):
        await sm8.edit("company", company["uuid"], website="old")
    async with servicem8(sm8) as opened:
        seen: list[Item] = []
        await sm8.set_clock()
        async for page in COMPANIES.read(opened.session, Walk(Mode.FULL)):
            seen += page.items
            if len(seen) == 3:
                early = seen[0].external_id
                await sm8.edit("company", early, website="edited behind the walk")
                await sm8.set_clock(offset_seconds=60)
                late = next(one for one in await sm8.records("company") if one["uuid"] not in {item.external_id for item in seen})
                await sm8.edit("company", late["uuid"], website="edited before the walk came by")
                await sm8.set_clock()
            state = page.state
        again = await read_all(COMPANIES, opened.session, Walk(Mode.INCREMENTAL, saved=state))

    assert early in ids(again)


@pytest.mark.requirement("SM8-69")
async def test_an_edit_in_the_hour_that_comes_twice_is_not_lost(sm8: RunningSandbox):
    """Ljubljana, 25 October 2026: 02:50 summer time, then twenty minutes later it is 02:10 winter time."""
    key = "smk-ljubljana"
    async with servicem8(sm8, api_key=key) as opened:
        await sm8.set_clock("2026-10-25T00:50:00Z", scale=0)
        first = await sm8.create("company", api_key=key, name="Poletje")
        before = await read_all(COMPANIES, opened.session, Walk(Mode.FULL))
        await sm8.set_clock("2026-10-25T01:10:00Z", scale=0)
        await sm8.edit("company", first["uuid"], name="Zima")
        after = await read_all(COMPANIES, opened.session, next_walk(before))

    early, late = (item for page in [*before, *after] for item in page.items)
    assert json.loads(late.payload)["name"] == "Zima"
    assert json.loads(late.payload)["edit_date"] < json.loads(early.payload)["edit_date"]
    assert late.version is not None
    assert early.version is not None
    assert late.version >= early.version


async def test_a_provider_that_sends_the_walk_in_circles_is_stopped(sm8: RunningSandbox):
    for number in range(8):
        await sm8.create("company", name=f"Company {number}")
    async with servicem8(sm8) as opened:
        await sm8.fault("repeat-page", path="*/company.json", skip=1, times=None)
        with pytest.raises(UnexpectedResponse, match="never end"):
            await read_all(COMPANIES, opened.session, Walk(Mode.FULL))


@pytest.mark.parametrize("fault", ["missing-uuid", "duplicate-record", "wrong-types", "long-text", "nan-amount", "unknown-status"])
async def test_a_damaged_object_does_not_hide_the_others(sm8: RunningSandbox, fault: str):
    made = {(await make_quote(sm8, 1))[0] for _ in range(5)}
    async with servicem8(sm8) as opened:
        await sm8.fault(fault, path="*/job.json", times=1)
        pages = await read_all(JOBS, opened.session, Walk(Mode.FULL))

    bad = [one for page in pages for one in page.bad]
    assert len(ids(pages)) + len(bad) == 5
    assert len(bad) == (1 if fault == "missing-uuid" else 0)
    assert ids(pages) <= made
    assert sum(len(page.items) for page in pages) == len(ids(pages))


async def test_a_child_without_a_parent_is_kept_as_bad(sm8: RunningSandbox):
    orphan = await sm8.create("companycontact", first="Nobody's", company_uuid="")
    async with servicem8(sm8) as opened:
        pages = await read_all(COMPANIES, opened.session, Walk(Mode.FULL))

    assert [one.external_id for page in pages for one in page.bad] == [orphan["uuid"]]


@pytest.mark.requirement("SM8-66")
async def test_a_large_account_is_read_page_by_page(sm8: RunningSandbox):
    await sm8.settings(page_size=100)
    await sm8.seed("companies", 1234)
    async with servicem8(sm8) as opened:
        pages = await read_all(COMPANIES, opened.session, Walk(Mode.FULL))

    assert len(ids(pages)) == 1234
    assert len([page for page in pages if page.items]) == 13
    assert len(opened.log.calls) == len(pages)


async def test_two_accounts_give_two_currencies_and_zones(sm8: RunningSandbox):
    async with servicem8(sm8) as perth, servicem8(sm8, api_key="smk-ljubljana") as ljubljana:
        accounts = [opened.session.account for opened in (perth, ljubljana)]

    assert [(account.currency, account.time_zone) for account in accounts if account] == [
        ("AUD", "Australia/Perth"),
        ("EUR", "Europe/Ljubljana"),
    ]
