"""Lists, cursors and the types that come over the wire."""

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider, refused, walk


async def test_a_list_is_a_bare_array_and_an_empty_one_when_nothing_matches(provider: Provider):
    assert (await provider.get("company.json")).json() == []
    assert (await provider.filtered("company.json", "name eq 'nobody'")).json() == []


@pytest.mark.parametrize(("size", "pages"), [(2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (1000, [5])])
async def test_the_cursor_walk_sees_each_record_once_and_ends_without_a_header(
    sandbox: RunningSandbox, provider: Provider, size: int, pages: list[int]
):
    made = [await provider.made("company", name=f"Client {number}") for number in range(5)]
    await sandbox.settings(page_size=size)

    seen = await walk(provider, "company.json")

    assert [len(page) for page in seen] == pages
    assert sorted(record["uuid"] for page in seen for record in page) == sorted(made)


async def test_the_next_cursor_is_an_id_and_absent_from_the_only_page(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(page_size=2)
    for number in range(2):
        await provider.made("company", name=f"Client {number}")
    only = await provider.get("company.json", cursor="-1")
    await provider.made("company", name="One more")
    first = await provider.get("company.json", cursor="-1")

    assert "x-next-cursor" not in only.headers
    assert first.headers["x-next-cursor"] in {record["uuid"] for record in first.json()}


async def test_without_a_cursor_the_whole_list_comes_at_once(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(page_size=2)
    await sandbox.seed("companies", 50)

    answer = await provider.get("company.json")

    assert len(answer.json()) == 50
    assert "x-next-cursor" not in answer.headers


async def test_a_filter_holds_on_every_page(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(page_size=3)
    job, other = await provider.quote(), await provider.quote()
    for number in range(7):
        await provider.line(job, name=f"Line {number}")
        await provider.line(other)

    pages = await walk(provider, "jobmaterial.json", **{"$filter": f"job_uuid eq '{job}'"})

    assert [len(page) for page in pages] == [3, 3, 1]
    assert {line["job_uuid"] for page in pages for line in page} == {job}


async def test_a_record_made_during_a_walk_does_not_disturb_it(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(page_size=10)
    await sandbox.seed("companies", 30)
    first = await provider.get("company.json", cursor="-1")
    await sandbox.seed("companies", 30)
    rest, cursor = [], first.headers["x-next-cursor"]
    while cursor:
        page = await provider.get("company.json", cursor=cursor)
        rest += page.json()
        cursor = page.headers.get("x-next-cursor", "")

    uuids = [record["uuid"] for record in first.json() + rest]

    assert len(uuids) == len(set(uuids))


async def test_a_cursor_that_is_no_id_is_refused(provider: Provider):
    assert refused(await provider.get("company.json", cursor="next"), 400, "Invalid cursor")


async def test_a_job_has_numbers_for_flags_text_for_amounts_and_sentinels_for_nothing(provider: Provider):
    job = await provider.one(f"job/{await provider.quote(job_address='1 High St')}.json")

    assert (job["active"], job["quote_sent"]) == (1, 0)
    assert job["total_invoice_amount"] == "0.0000"
    assert job["work_order_date"] == "0000-00-00 00:00:00"
    assert (job["company_uuid"], job["badges"]) == ("", "[]")
    assert isinstance(job["generated_job_id"], str)


async def test_a_line_has_text_for_flags_and_four_places_for_amounts(provider: Provider):
    line = await provider.one(f"jobmaterial/{await provider.line(await provider.quote(), price='12.5', quantity='2')}.json")

    assert (line["quantity"], line["price"], line["displayed_amount"]) == ("2.0000", "12.5000", "12.5000")
    assert line["displayed_amount_is_tax_inclusive"] == "0"


async def test_custom_fields_come_as_extra_keys(provider: Provider):
    uuid = await provider.made("company", name="Custom", customfield_region="North", unheard_of="x")

    record = await provider.one(f"company/{uuid}.json")

    assert record["customfield_region"] == "North"
    assert "unheard_of" not in record


@pytest.mark.parametrize("name", ["staff", "category", "queue", "badge", "material", "jobactivity", "jobcontact", "jobpayment"])
async def test_the_other_lists_exist(provider: Provider, name: str):
    assert (await provider.get(f"{name}.json")).json() == []


async def test_tax_rates_are_percentages_as_text_and_one_is_the_default(provider: Provider):
    rates = (await provider.get("taxrate.json")).json()

    assert {(rate["name"], rate["amount"], rate["is_default_tax_rate"]) for rate in rates} == {("GST", "10", "1"), ("GST Free", "0", "0")}
