"""What the server refuses to keep. Each refusal is a 400 with JSON, and nothing is written."""

from typing import Any

import pytest

from .provider import Provider, refused

NEW = {
    "a company without a name": ("company", {}, "name is required"),
    "a company with a blank name": ("company", {"name": "  "}, "name is required"),
    "a job without a status": ("job", {}, "status is required"),
    "a line without a quantity": ("jobmaterial", {"price": "1", "displayed_amount": "1"}, "quantity is required"),
    "staff without an e-mail": ("staff", {"first": "A", "last": "B"}, "email is required"),
    "a status outside the four": ("job", {"status": "WorkOrder"}, "status must be one of"),
    "a status in other letters": ("job", {"status": "quote"}, "status must be one of"),
    "a name of 101 characters": ("company", {"name": "x" * 101}, "longer than 100"),
    "an address of 501 characters": ("company", {"name": "x", "address": "x" * 501}, "longer than 500"),
    "a job address of 501 characters": ("job", {"status": "Quote", "job_address": "x" * 501}, "longer than 500"),
    "an order number of 101 characters": ("job", {"status": "Quote", "purchase_order_number": "x" * 101}, "longer than 100"),
    "badges as an array": ("job", {"status": "Quote", "badges": ["b1"]}, "badges"),
    "badges as bare text": ("job", {"status": "Quote", "badges": "b1"}, "badges must be a JSON array encoded string"),
    "badges as an object in text": ("job", {"status": "Quote", "badges": '{"b":1}'}, "must be a JSON array encoded string"),
    "a flag of two": ("job", {"status": "Quote", "quote_sent": 2}, "quote_sent must be 0 or 1"),
    "a flag in words": ("job", {"status": "Quote", "active": "yes"}, "active must be 0 or 1"),
    "a quantity in words": ("jobmaterial", {"quantity": "two"}, "quantity must be a number"),
    "a quantity that is no number": ("jobmaterial", {"quantity": "NaN"}, "quantity must be a number"),
    "a quantity without end": ("jobmaterial", {"quantity": "Infinity"}, "quantity must be a number"),
    "a date that does not exist": ("job", {"status": "Quote", "date": "2026-02-31"}, "date must be a date"),
    "a date with a time": ("job", {"status": "Quote", "date": "2026-02-01 10:00:00"}, "date must be a date"),
    "a time with an offset": ("job", {"status": "Quote", "quote_date": "2026-02-01T10:00:00+08:00"}, "must be a timestamp"),
    "a nested value": ("company", {"name": {"first": "A"}}, "name must be a single value"),
}


@pytest.mark.parametrize(("name", "values", "part"), NEW.values(), ids=NEW)
async def test_it_refuses(provider: Provider, name: str, values: dict[str, Any], part: str):
    assert refused(await provider.post(f"{name}.json", values), 400, part)
    assert (await provider.get(f"{name}.json")).json() == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("company", {"name": "x" * 100, "address": "x" * 500}),
        ("company", {"name": "č" * 100}),
        ("job", {"status": "Work Order", "badges": '["b1","b2"]', "date": "2026-02-28", "quote_date": "2026-02-28 10:00:00"}),
        ("job", {"status": "Quote", "badges": "", "date": None, "quote_sent": "1", "active": True}),
        ("jobmaterial", {"quantity": 2.5, "price": 10, "displayed_amount": "10.00"}),
        ("jobmaterial", {"quantity": "-1", "price": "0", "displayed_amount": "0"}),
    ],
)
async def test_it_takes(provider: Provider, name: str, values: dict[str, Any]):
    assert (await provider.post(f"{name}.json", values)).status_code == 200


async def test_a_company_name_is_unique_and_archived_companies_count(provider: Provider):
    first = await provider.made("company", name="Acme Pty Ltd")
    taken = await provider.post("company.json", {"name": "acme pty ltd "})
    await provider.delete(f"company/{first}.json")
    archived = await provider.post("company.json", {"name": "Acme Pty Ltd"})

    assert refused(taken, 400, "Name must be unique")
    assert refused(archived, 400, "Name must be unique")


async def test_a_name_given_up_is_free_again(provider: Provider):
    first = await provider.made("company", name="Acme")
    second = await provider.made("company", name="Other")

    assert refused(await provider.post(f"company/{second}.json", {"name": "Acme"}), 400, "Name must be unique")
    assert (await provider.post(f"company/{first}.json", {"name": "Acme Two"})).status_code == 200
    assert (await provider.post(f"company/{second}.json", {"name": "Acme"})).status_code == 200
    assert (await provider.post(f"company/{second}.json", {"name": "Acme"})).status_code == 200


async def test_names_are_unique_within_an_account_only(provider: Provider, ljubljana: Provider):
    await provider.made("company", name="Everywhere")

    assert (await ljubljana.post("company.json", {"name": "Everywhere"})).status_code == 200


async def test_catalogue_numbers_are_unique_and_may_be_absent(provider: Provider):
    await provider.made("material", name="One", item_number="A-1")
    await provider.made("material", name="Two")
    await provider.made("material", name="Three")

    assert refused(await provider.post("material.json", {"name": "Four", "item_number": "A-1"}), 400, "Item number must be unique")


async def test_a_required_field_may_be_left_out_of_an_update_but_not_emptied(provider: Provider):
    job = await provider.quote()

    assert (await provider.post(f"job/{job}.json", {"job_address": "2 High St"})).status_code == 200
    assert refused(await provider.post(f"job/{job}.json", {"status": ""}), 400, "status is required")
    assert refused(await provider.post(f"job/{job}.json", {"status": "Approved"}), 400, "status must be one of")
    assert (await provider.one(f"job/{job}.json"))["status"] == "Quote"


async def test_a_refused_update_changes_nothing_at_all(provider: Provider):
    uuid = await provider.made("company", name="Acme", website="old")
    before = await provider.one(f"company/{uuid}.json")

    await provider.post(f"company/{uuid}.json", {"website": "new", "address": "x" * 501})

    assert await provider.one(f"company/{uuid}.json") == before
