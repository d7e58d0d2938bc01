"""The grammar of `$filter`, and what it finds."""

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider, refused

REFUSED = {
    "an operator for at least": "edit_date ge '2026-01-01 00:00:00'",
    "an operator for at most": "edit_date le '2026-01-01 00:00:00'",
    "a search within text": "name like 'A%'",
    "a list of values": "status in ('Quote')",
    "or": "status eq 'Quote' or status eq 'Completed'",
    "not": "not status eq 'Quote'",
    "brackets": "(status eq 'Quote')",
    "brackets around conditions": "active eq 1 and (status eq 'Quote')",
    "no value": "status eq",
    "no operator": "status",
    "text without quotes": "status eq Quote",
    "text in double quotes": 'status eq "Quote"',
    "a quote that is not closed": "status eq 'Quote",
    "a quote within a value": "job_description eq 'it''s'",
    "an escaped quote within a value": r"job_description eq 'it\'s'",
    "conditions that are not joined": "status eq 'Quote' active eq 1",
    "a joint at the end": "status eq 'Quote' and",
    "a joint at the beginning": "and status eq 'Quote'",
    "an operator in capitals": "status EQ 'Quote'",
    "a joint in capitals": "status eq 'Quote' AND active eq 1",
    "a field in other letters": "Status eq 'Quote'",
    "an unknown field": "nonsense eq '1'",
    "badges on their owner": "badges eq '[]'",
    "eleven conditions": " and ".join(["active eq 1"] * 11),
    "a value of 256 characters": f"job_description eq '{'x' * 256}'",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
async def test_the_grammar_has_no(provider: Provider, text: str):
    answer = await provider.filtered("job.json", text)

    assert answer.status_code == 400
    assert answer.json()["errorCode"] == 1000
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "text",
    [
        "status eq 'Quote'",
        "  status   eq 'Quote'  and active eq 1 ",
        "active eq '1'",
        "status eq 'Work Order'",
        "job_description eq 'rock and roll or (brackets) ge 1'",
        "customfield_region eq 'North'",
        " and ".join(["active eq 1"] * 10),
        f"job_description eq '{'x' * 255}'",
        "job_description eq ''",
        "job_description eq 'č š ž 🐕 שלום'",
    ],
)
async def test_the_grammar_has(provider: Provider, text: str):
    assert (await provider.filtered("job.json", text)).status_code == 200


async def test_an_empty_filter_is_none(provider: Provider):
    await provider.quote()

    assert len((await provider.filtered("job.json", "")).json()) == 1


async def test_conditions_must_all_hold(provider: Provider):
    wanted = await provider.quote(job_address="1 High St", purchase_order_number="7")
    await provider.quote(job_address="1 High St")
    await provider.made("job", status="Completed", job_address="1 High St", purchase_order_number="7")

    found = (await provider.filtered("job.json", "status eq 'Quote' and job_address eq '1 High St' and purchase_order_number eq 7")).json()

    assert [job["uuid"] for job in found] == [wanted]


async def test_text_is_compared_as_text_and_a_bare_number_as_a_number(provider: Provider):
    job = await provider.quote()
    await provider.line(job, price="9")
    await provider.line(job, price="10")

    prices = [
        [line["price"] for line in (await provider.filtered("jobmaterial.json", text)).json()]
        for text in ("price gt 9", "price lt 10.0", "price eq 10", "price gt '9'", "price eq '10'", "price eq '10.0000'")
    ]

    assert prices == [["10.0000"], ["9.0000"], ["10.0000"], ["9.0000"], [], ["10.0000"]]


async def test_edit_times_are_compared_as_text_and_only_later_ones_match(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    await provider.made("company", name="First")
    await sandbox.set_clock("2026-03-01T04:00:01Z", scale=0)
    await provider.made("company", name="Second")

    async def found(text: str) -> set[str]:
        return {one["name"] for one in (await provider.filtered("company.json", f"edit_date {text}")).json()}

    assert await found("gt '2026-03-01 11:59:59'") == {"First", "Second"}
    assert await found("gt '2026-03-01 12:00:00'") == {"Second"}
    assert await found("gt '2026-03-01 12:00:01'") == set()
    assert await found("lt '2026-03-01 12:00:01'") == {"First"}
    assert await found("eq '2026-03-01 12:00:01'") == {"Second"}


async def test_few_and_many_later_edits_are_found_alike(sandbox: RunningSandbox, provider: Provider):
    await sandbox.seed("companies", 200)
    everything = (await provider.get("company.json")).json()
    moments = sorted(record["edit_date"] for record in everything)

    for moment in (moments[0], moments[100], moments[190], moments[-1]):
        found = (await provider.filtered("company.json", f"edit_date gt '{moment}'")).json()
        assert [one["uuid"] for one in found] == [one["uuid"] for one in everything if one["edit_date"] > moment]


async def test_not_equal_excludes_nothing_as_seen_live_unless_told_to(sandbox: RunningSandbox, provider: Provider):
    await provider.quote()
    await provider.made("job", status="Completed")

    as_seen = (await provider.filtered("job.json", "status ne 'Quote'")).json()
    await sandbox.settings(ne_excludes=True)
    as_written = (await provider.filtered("job.json", "status ne 'Quote' and total_invoice_amount ne 5")).json()

    assert (len(as_seen), [job["status"] for job in as_written]) == (2, ["Completed"])


async def test_notes_are_found_by_what_they_belong_to_and_contacts_by_company(provider: Provider):
    job, company = await provider.quote(), await provider.made("company", name="With people")
    note = await provider.made("note", related_object="job", related_object_uuid=job, note="Hi")
    await provider.made("note", related_object="job", related_object_uuid=await provider.quote(), note="Elsewhere")
    contact = await provider.made("companycontact", company_uuid=company, first="Ann", last="Lee")

    notes = (await provider.filtered("note.json", f"related_object_uuid eq '{job}'")).json()
    contacts = (await provider.filtered("companycontact.json", f"company_uuid eq '{company}'")).json()

    assert ([one["uuid"] for one in notes], [one["uuid"] for one in contacts]) == ([note], [contact])


async def test_a_changed_reference_is_found_under_its_new_value_only(provider: Provider):
    first, second = await provider.quote(), await provider.quote()
    line = await provider.line(first)
    await provider.post(f"jobmaterial/{line}.json", {"job_uuid": second})

    assert (await provider.filtered("jobmaterial.json", f"job_uuid eq '{first}'")).json() == []
    assert len((await provider.filtered("jobmaterial.json", f"job_uuid eq '{second}'")).json()) == 1


async def test_a_record_is_found_by_id_even_when_deleted(provider: Provider):
    job = await provider.quote()
    await provider.delete(f"job/{job}.json")

    (found,) = (await provider.filtered("job.json", f"uuid eq '{job}'")).json()

    assert found["active"] == 0
    assert refused(await provider.get(f"job/{job}.json"), 404, "Resource not found")
