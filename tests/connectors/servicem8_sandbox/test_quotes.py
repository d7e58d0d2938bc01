"""A quote is a job with lines: stamps, amounts, totals, and what staff may do to it meanwhile."""

from decimal import Decimal
from typing import Any

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider, refused


@pytest.mark.parametrize(
    ("status", "stamp"),
    [("Work Order", "work_order_date"), ("Completed", "completion_date"), ("Unsuccessful", "unsuccessful_date"), ("Quote", "quote_date")],
)
async def test_a_new_status_stamps_its_own_time_in_the_accounts_zone(sandbox: RunningSandbox, provider: Provider, status: str, stamp: str):
    job = await provider.made("job", status="Work Order" if status == "Quote" else "Quote")
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    await provider.post(f"job/{job}.json", {"status": status})

    record = await provider.one(f"job/{job}.json")

    assert (record["status"], record[stamp], record["edit_date"]) == (status, "2026-03-01 12:00:00", "2026-03-01 12:00:00")


async def test_writing_the_same_status_again_keeps_its_stamp(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    job = await provider.quote()
    await sandbox.set_clock("2026-03-02T04:00:00Z", scale=0)
    await provider.post(f"job/{job}.json", {"status": "Quote"})

    record = await provider.one(f"job/{job}.json")

    assert (record["quote_date"], record["edit_date"]) == ("2026-03-01 12:00:00", "2026-03-02 12:00:00")


async def test_status_moves_in_any_direction(provider: Provider):
    job = await provider.quote()

    for status in ("Unsuccessful", "Quote", "Completed", "Work Order", "Quote"):
        assert (await provider.post(f"job/{job}.json", {"status": status})).status_code == 200
        assert (await provider.one(f"job/{job}.json"))["status"] == status


async def test_a_sent_quote_has_the_time_of_sending(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    job = await provider.quote()
    await provider.post(f"job/{job}.json", {"quote_sent": 1})

    record = await provider.one(f"job/{job}.json")

    assert (record["quote_sent"], record["quote_sent_stamp"]) == (1, "2026-03-01 12:00:00")


async def test_job_numbers_count_up(provider: Provider):
    numbers = [(await provider.one(f"job/{await provider.quote()}.json"))["generated_job_id"] for _ in range(3)]

    assert [int(number) - int(numbers[0]) for number in numbers] == [0, 1, 2]


AGREEING = {
    "without tax": {"price": "100", "displayed_amount": "100", "displayed_amount_is_tax_inclusive": "0"},
    "with tax": {"price": "100", "displayed_amount": "110", "displayed_amount_is_tax_inclusive": "1"},
    "with tax, the price rounded": {"price": "90.91", "displayed_amount": "100", "displayed_amount_is_tax_inclusive": "1"},
    "with costs": {
        "price": "100",
        "displayed_amount": "110",
        "displayed_amount_is_tax_inclusive": "1",
        "cost": "50",
        "displayed_cost": "55",
    },
}
CONTRADICTING: dict[str, dict[str, Any]] = {
    "without displayed_amount": {"price": "100"},
    "without any amount": {},
    "without tax but another amount": {"price": "100", "displayed_amount": "110", "displayed_amount_is_tax_inclusive": "0"},
    "without tax and a cent apart": {"price": "100", "displayed_amount": "100.01", "displayed_amount_is_tax_inclusive": "0"},
    "with tax but the amount without": {"price": "100", "displayed_amount": "100", "displayed_amount_is_tax_inclusive": "1"},
    "with the amount for the whole line": {
        "quantity": "2",
        "price": "100",
        "displayed_amount": "220",
        "displayed_amount_is_tax_inclusive": "1",
    },
    "with an amount and no price": {"displayed_amount": "100"},
}


@pytest.mark.parametrize("amounts", AGREEING.values(), ids=AGREEING)
async def test_a_line_is_taken(provider: Provider, amounts: dict[str, Any]):
    values = {"job_uuid": await provider.quote(), "quantity": "1", "tax_rate_uuid": await provider.tax_rate()} | amounts

    assert (await provider.post("jobmaterial.json", values)).status_code == 200


@pytest.mark.parametrize("amounts", CONTRADICTING.values(), ids=CONTRADICTING)
async def test_a_line_is_refused(provider: Provider, amounts: dict[str, Any]):
    values = {"job_uuid": await provider.quote(), "quantity": "1", "tax_rate_uuid": await provider.tax_rate()} | amounts

    assert refused(await provider.post("jobmaterial.json", values), 400, "Provided displayed_amount is incorrect.")
    assert (await provider.get("jobmaterial.json")).json() == []


async def test_a_price_changed_alone_is_refused_and_a_quantity_alone_is_taken(provider: Provider):
    line = await provider.line(await provider.quote())

    assert refused(await provider.post(f"jobmaterial/{line}.json", {"price": "200"}), 400, "Provided displayed_amount is incorrect.")
    assert (await provider.post(f"jobmaterial/{line}.json", {"quantity": "3"})).status_code == 200
    assert (await provider.post(f"jobmaterial/{line}.json", {"price": "200", "displayed_amount": "200"})).status_code == 200


async def test_the_price_follows_an_amount_with_tax(provider: Provider):
    line = await provider.made(
        "jobmaterial",
        job_uuid=await provider.quote(),
        quantity="1",
        price="90.91",
        displayed_amount="100",
        displayed_amount_is_tax_inclusive="1",
    )

    assert (await provider.one(f"jobmaterial/{line}.json"))["price"] == "90.9091"


async def test_a_total_is_the_active_lines_with_tax(provider: Provider):
    job, free = await provider.quote(), await provider.tax_rate("GST Free")
    await provider.line(job, price="100", quantity="2")
    await provider.line(job, price="10.005", quantity="1.5", tax_rate_uuid=free)
    with_tax = {"price": "50", "displayed_amount": "55", "displayed_amount_is_tax_inclusive": "1"}
    dropped = await provider.made("jobmaterial", job_uuid=job, quantity="0.5", **with_tax)
    whole = (await provider.one(f"job/{job}.json"))["total_invoice_amount"]
    await provider.delete(f"jobmaterial/{dropped}.json")
    without = (await provider.one(f"job/{job}.json"))["total_invoice_amount"]
    await provider.post(f"jobmaterial/{dropped}.json", {"active": 1})

    assert Decimal(whole) == Decimal("220") + Decimal("15.01") + Decimal("27.5")
    assert (whole, without) == ("262.5100", "235.0100")
    assert (await provider.one(f"job/{job}.json"))["total_invoice_amount"] == whole


async def test_a_change_of_lines_leaves_the_jobs_edit_time(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    job = await provider.quote()
    await sandbox.set_clock("2026-03-01T05:00:00Z", scale=0)
    line = await provider.line(job)
    note = await provider.made("note", related_object="job", related_object_uuid=job, note="Hello")

    assert (await provider.one(f"job/{job}.json"))["edit_date"] == "2026-03-01 12:00:00"
    assert (await provider.one(f"jobmaterial/{line}.json"))["edit_date"] == "2026-03-01 13:00:00"
    assert (await provider.one(f"note/{note}.json"))["edit_date"] == "2026-03-01 13:00:00"


async def test_a_line_that_moves_counts_for_its_new_job(provider: Provider):
    first, second = await provider.quote(), await provider.quote()
    line = await provider.line(first)
    await provider.post(f"jobmaterial/{line}.json", {"job_uuid": second})

    totals = [(await provider.one(f"job/{job}.json"))["total_invoice_amount"] for job in (first, second)]

    assert totals == ["0.0000", "110.0000"]


async def test_staff_edit_a_quote_between_read_and_approval(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    job = await provider.quote()
    line = await provider.line(job)
    await sandbox.set_clock("2026-03-01T04:00:09Z", scale=0)

    await sandbox.edit("jobmaterial", line, price="150.0000", displayed_amount="150.0000")
    await sandbox.edit("job", job, job_description="Changed on site")
    added = await sandbox.add_line(job, name="Extra socket", quantity="2", price="110", tax_inclusive=True)

    record = await provider.one(f"job/{job}.json")
    assert (record["edit_date"], record["job_description"]) == ("2026-03-01 12:00:09", "Changed on site")
    assert record["total_invoice_amount"] == "385.0000"
    assert (added["price"], added["displayed_amount"], added["sort_order"]) == ("100.0000", "110.0000", "2")
    await sandbox.remove_line(job, line)
    assert (await provider.one(f"job/{job}.json"))["total_invoice_amount"] == "220.0000"


async def test_staff_may_decide_a_quote_themselves_and_it_is_stamped(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    job = await provider.quote()
    await sandbox.edit("job", job, status="Unsuccessful")

    record = await provider.one(f"job/{job}.json")

    assert (record["status"], record["unsuccessful_date"]) == ("Unsuccessful", "2026-03-01 12:00:00")


async def test_a_partial_approval_as_integrators_do_it(provider: Provider):
    job = await provider.quote()
    kept, removed = await provider.line(job, price="100"), await provider.line(job, price="200")

    await provider.delete(f"jobmaterial/{removed}.json")
    await provider.post(f"job/{job}.json", {"status": "Work Order"})
    await provider.made("note", related_object="job", related_object_uuid=job, note="Approved in part")

    lines = (await provider.filtered("jobmaterial.json", f"job_uuid eq '{job}'")).json()
    record = await provider.one(f"job/{job}.json")
    assert {line["uuid"]: line["active"] for line in lines} == {kept: 1, removed: 0}
    assert (record["status"], record["total_invoice_amount"]) == ("Work Order", "110.0000")
