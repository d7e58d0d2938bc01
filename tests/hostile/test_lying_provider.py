"""A provider that lies in its pages: only what is wrong fails, and nothing is lost for good."""

import pytest

from app.paging import PageRequest
from app.syncs.models import RunStatus
from tests.factories import make_connection, sync
from tests.hostile.liar import each, edits, lying

ALL = PageRequest(100)


@pytest.fixture
async def acme(clean_sandbox):
    """Two companies, the second with a job of one line and a contact."""
    await clean_sandbox.create("company", name="Bystander")
    company = await clean_sandbox.create("company", name="Acme")
    contact = await clean_sandbox.create("companycontact", company_uuid=company["uuid"], first="Ann", email="ann@acme.test", type="BILLING")
    job = await clean_sandbox.create("job", company_uuid=company["uuid"], status="Quote", job_description="Rewire")
    line = await clean_sandbox.add_line(job["uuid"], name="Labour", quantity="1", price="90")
    return {"company": company["uuid"], "contact": contact["uuid"], "job": job["uuid"], "line": line["uuid"]}


WRONG = {
    "an amount that no percentage comes of": (
        "/jobmaterial.json",
        {"tax_rate_uuid": "x", "displayed_amount": "1e30", "displayed_amount_is_tax_inclusive": 1, "price": "1"},
    ),
    "an enormous exponent": ("/jobmaterial.json", {"price": "1e999999999"}),
    "a tiny exponent": ("/jobmaterial.json", {"quantity": "1e-999999999"}),
    "an exponent at the edge": ("/jobmaterial.json", {"price": "9e20", "quantity": "9e20"}),
    "a parent with a NUL": ("/companycontact.json", {"company_uuid": "x\x00y"}),
    "half a character": ("/companycontact.json", {"company_uuid": "x\ud800y"}),
    "a uuid with a NUL": ("/company.json", {"uuid": "x\x00y"}),
    "a time at the beginning of time": ("/company.json", {"edit_date": "0001-01-01 00:00:00"}),
    "a time at its end": ("/company.json", {"edit_date": "9998-12-31 23:59:59"}),
    "a garbage time": ("/company.json", {"edit_date": "yesterday"}),
    "a number for a time": ("/company.json", {"edit_date": 7}),
    "a tax rate that is none": ("/taxrate.json", {"amount": "x\x00y"}),
    "an enormous tax rate": ("/taxrate.json", {"amount": "1e999999999"}),
    "an infinite tax rate": ("/taxrate.json", {"amount": "Infinity"}),
    "a long uuid": ("/job.json", {"uuid": "x" * 5000}),
    "a total of its own": ("/job.json", {"total_invoice_amount": "NaN"}),
    "an issue time at the beginning of time": ("/job.json", {"quote_date": "0001-01-01 00:00:00"}),
    "an object for a text": ("/job.json", {"job_description": {"a": [1]}, "company_uuid": ["x"]}),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_one_wrong_value_stops_nothing_else(hub, operator, clean_sandbox, acme, wrong):
    connection = await make_connection(hub, operator, clean_sandbox, attempts=1)
    path, values = WRONG[wrong]

    with lying(hub, edits(path, each(**values))):
        first = await sync(hub, operator, connection)
        second = await sync(hub, operator, connection)
    healed = await sync(hub, operator, connection, mode="full")
    again = await sync(hub, operator, connection, mode="full")

    ended = {RunStatus.COMPLETED, RunStatus.PARTIALLY_COMPLETED}
    assert {first.status, second.status, healed.status, again.status} <= ended, (first, second, healed)
    names = {contact.data["name"] for contact in (await hub.records.contacts(operator, ALL)).items}
    assert names >= {"Bystander", "Acme"}
    assert [job.data["title"] for job in (await hub.records.jobs(operator, ALL)).items] == ["Rewire"]
