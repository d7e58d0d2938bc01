"""Create, update, delete: what is answered, what is kept, what comes back."""

from uuid import uuid4

import pytest

from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider, refused


async def test_a_create_answers_ok_with_the_id_in_a_header_and_no_record_in_the_body(provider: Provider):
    answer = await provider.post("company.json", {"name": "Acme Pty Ltd"})

    assert (answer.status_code, answer.json()) == (200, {"errorCode": 0, "message": "OK"})
    record = await provider.one(f"company/{answer.headers['x-record-uuid']}.json")
    assert (record["name"], record["active"]) == ("Acme Pty Ltd", 1)


async def test_the_client_may_choose_the_id_once(provider: Provider):
    own = str(uuid4())
    first = await provider.post("note.json", {"uuid": own.upper(), "note": "First"})
    second = await provider.post("note.json", {"uuid": own, "note": "Second"})

    assert first.headers["x-record-uuid"] == own
    assert refused(second, 409, "already exists")
    assert (await provider.one(f"dbonote/{own}.json"))["note"] == "First"


async def test_the_id_of_a_deleted_record_stays_taken(provider: Provider):
    own = str(uuid4())
    await provider.post("note.json", {"uuid": own, "note": "First"})
    await provider.delete(f"dbonote/{own}.json")

    assert refused(await provider.post("note.json", {"uuid": own, "note": "Second"}), 409, "already exists")


async def test_an_id_that_is_none_is_refused(provider: Provider):
    assert refused(await provider.post("note.json", {"uuid": "first-note", "note": "x"}), 400, "uuid")


@pytest.mark.parametrize("form", [{"data": {"name": "Formed č š ž", "website": ""}}, {"files": {"name": (None, "Formed č š ž")}}])
async def test_forms_are_taken_as_json_is(provider: Provider, form: dict[str, object]):
    answer = await provider.post("company.json", **form)

    assert (await provider.one(f"company/{answer.headers['x-record-uuid']}.json"))["name"] == "Formed č š ž"


@pytest.mark.parametrize("content", ["{", "[]", '[{"name":"Two"},{"name":"at once"}]', '"name"', "null", "\xff"])
async def test_a_body_that_is_not_one_object_is_refused(provider: Provider, content: str):
    answer = await provider.post("company.json", content=content.encode("latin-1"))

    assert refused(answer, 400, "JSON")
    assert (await provider.get("company.json")).json() == []


@pytest.mark.parametrize(
    "text", ["č š ž Č Š Ž", "🐕‍🦺 ☕ 👩‍👩‍👧", "שלום עולם", "مرحبا", "a/b\\c\"d'e", "tab\tand\nline", "Zażółć gęślą jaźń"]
)
async def test_text_of_any_script_comes_back_as_it_went(provider: Provider, text: str):
    uuid = await provider.made("note", note=text)

    assert (await provider.one(f"dbonote/{uuid}.json"))["note"] == text


async def test_an_update_merges_and_keeps_what_is_not_named(provider: Provider):
    uuid = await provider.made("company", name="Acme", website="https://acme.test", address="1 High St")

    answer = await provider.post(f"company/{uuid}.json", {"address": "2 High St"})

    assert (answer.status_code, answer.json()) == (200, {"errorCode": 0, "message": "OK"})
    assert "x-record-uuid" not in answer.headers
    record = await provider.one(f"company/{uuid}.json")
    assert (record["name"], record["website"], record["address"]) == ("Acme", "https://acme.test", "2 High St")


async def test_read_only_fields_are_ignored(provider: Provider):
    job = await provider.quote(total_invoice_amount="999", generated_job_id="mine", edit_date="2000-01-01 00:00:00")
    await provider.post(f"job/{job}.json", {"total_invoice_amount": "999", "uuid": str(uuid4()), "quote_sent_stamp": "2000-01-01 00:00:00"})

    record = await provider.one(f"job/{job}.json")

    assert (record["uuid"], record["total_invoice_amount"]) == (job, "0.0000")
    assert record["generated_job_id"] != "mine"
    assert record["edit_date"] > "2000-01-01 00:00:00"
    assert record["quote_sent_stamp"] == "0000-00-00 00:00:00"


async def test_every_update_moves_the_edit_time(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    uuid = await provider.made("company", name="Acme")
    await sandbox.set_clock("2026-03-01T05:00:00Z", scale=0)
    await provider.post(f"company/{uuid}.json", {"name": "Acme"})

    assert (await provider.one(f"company/{uuid}.json"))["edit_date"] == "2026-03-01 13:00:00"


async def test_a_deleted_record_is_hidden_by_path_and_listed_as_inactive(provider: Provider):
    uuid = await provider.made("company", name="Gone")

    answer = await provider.delete(f"company/{uuid}.json")

    assert (answer.status_code, answer.json()) == (200, {"errorCode": 0, "message": "OK"})
    assert refused(await provider.get(f"company/{uuid}.json"), 404, "Resource not found")
    (listed,) = (await provider.get("company.json")).json()
    assert (listed["uuid"], listed["active"]) == (uuid, 0)


async def test_a_deleted_record_is_readable_by_path_where_the_documentation_is_believed(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(deleted_reads_answer_404=False)
    uuid = await provider.made("company", name="Gone")
    await provider.delete(f"company/{uuid}.json")

    assert (await provider.one(f"company/{uuid}.json"))["active"] == 0


async def test_deleting_twice_brings_the_record_back(provider: Provider):
    uuid = await provider.made("note", note="Still here?")
    await provider.delete(f"dbonote/{uuid}.json")
    await provider.delete(f"dbonote/{uuid}.json")

    assert (await provider.one(f"dbonote/{uuid}.json"))["active"] == 1


async def test_deleting_twice_can_be_told_to_leave_it_deleted(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(second_delete_restores=False)
    uuid = await provider.made("note", note="Gone")
    await provider.delete(f"dbonote/{uuid}.json")

    assert (await provider.delete(f"dbonote/{uuid}.json")).status_code == 200
    assert (await sandbox.record("note", uuid))["active"] == 0


async def test_writing_active_brings_a_deleted_record_back(provider: Provider):
    uuid = await provider.made("company", name="Back again")
    await provider.delete(f"company/{uuid}.json")

    assert (await provider.post(f"company/{uuid}.json", {"active": 1})).status_code == 200
    assert (await provider.one(f"company/{uuid}.json"))["active"] == 1


async def test_a_company_named_as_its_contact_is_a_private_person(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    uuid = await provider.made("company", name="Ann Lee", is_individual="0")
    await sandbox.set_clock("2026-03-01T05:00:00Z", scale=0)
    contact = await provider.made("companycontact", company_uuid=uuid, first="Ann", last="Lee", is_primary_contact=True)
    person = await provider.one(f"company/{uuid}.json")
    await provider.delete(f"companycontact/{contact}.json")

    assert (person["is_individual"], person["edit_date"]) == ("1", "2026-03-01 12:00:00")
    assert (await provider.one(f"company/{uuid}.json"))["is_individual"] == "0"


async def test_a_note_gets_its_time_of_writing(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T04:00:00Z", scale=0)
    uuid = await provider.made("note", note="When?", create_date="2000-01-01 00:00:00")

    assert (await provider.one(f"dbonote/{uuid}.json"))["create_date"] == "2026-03-01 12:00:00"
