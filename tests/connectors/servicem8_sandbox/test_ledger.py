"""What the sandbox tells about the writes it saw, so that a test can prove that each took effect once."""

import asyncio
from uuid import uuid4

import pytest

from app.connectors.servicem8.sandbox.testing import ControlRefused, RunningSandbox

from .provider import Provider


async def test_every_write_is_kept_with_its_effect(sandbox: RunningSandbox, provider: Provider):
    own = str(uuid4())
    await provider.post("note.json", {"uuid": own, "note": "x"})
    await provider.post("note.json", {"uuid": own, "note": "x"})
    await provider.post(f"dbonote/{own}.json", {"note": "y"})
    await provider.post(f"note/{own}.json", {"note": "y"})
    await provider.delete(f"note/{own}.json")
    await provider.delete(f"note/{own}.json")
    await provider.get(f"note/{own}.json")

    writes = await sandbox.ledger(object="note", uuid=own)

    assert [one["effect"] for one in writes] == ["created", "none", "updated", "none", "deleted", "restored"]
    assert [one["status"] for one in writes] == [200, 409, 200, 200, 200, 200]
    assert [one["number"] for one in writes] == [1, 2, 3, 4, 5, 6]
    assert all(one["answered"] and one["api_key"] == "smk-perth" and one["at"] for one in writes)
    assert writes[2]["fields"] == ["note"]


async def test_the_ledger_is_narrowed_by_object_effect_method_and_key(sandbox: RunningSandbox, provider: Provider, ljubljana: Provider):
    await provider.quote()
    await ljubljana.quote()
    await provider.post("job.json", {})

    assert len(await sandbox.ledger()) == 3
    assert len(await sandbox.ledger(effect="created")) == 2
    assert len(await sandbox.ledger(api_key="smk-ljubljana")) == 1
    assert await sandbox.ledger(method="DELETE") == []
    await sandbox.clear_ledger()
    assert await sandbox.ledger() == []


async def test_what_staff_does_is_not_in_the_ledger(sandbox: RunningSandbox):
    job = await sandbox.create("job", status="Quote")
    await sandbox.edit("job", job["uuid"], status="Work Order")
    await sandbox.delete("job", job["uuid"])

    assert await sandbox.ledger() == []
    assert [one["uuid"] for one in await sandbox.records("job", active="0")] == [job["uuid"]]


async def test_a_held_write_is_done_and_waits_for_its_release(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    await sandbox.hold_writes()
    writing = asyncio.create_task(provider.post(f"job/{job}.json", {"status": "Work Order"}))
    await sandbox.wait_until_held()

    assert (await provider.get("vendor.json")).status_code == 200
    assert not writing.done()
    (entry,) = await sandbox.ledger(uuid=job, effect="updated")
    assert entry["answered"] is False
    await sandbox.release_writes()
    assert (await writing).status_code == 200
    assert (await sandbox.ledger(uuid=job, effect="updated"))[0]["answered"] is True


async def test_a_write_held_before_its_work_has_done_nothing(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    await sandbox.hold_writes(before_work=True, path="*/job/*")
    writing = asyncio.create_task(provider.post(f"job/{job}.json", {"status": "Work Order"}))
    await sandbox.wait_until_held()

    assert (await sandbox.record("job", job))["status"] == "Quote"
    assert (await provider.post("note.json", {"note": "not on this path"})).status_code == 200
    await sandbox.release_writes()
    assert (await writing).status_code == 200


async def test_a_writer_killed_at_the_gate_leaves_one_effect_without_an_answer(sandbox: RunningSandbox, provider: Provider):
    own = str(uuid4())
    await sandbox.hold_writes()
    writing = asyncio.create_task(provider.post("note.json", {"uuid": own, "note": "Approved"}))
    await sandbox.wait_until_held()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await sandbox.release_writes()
    again = await provider.post("note.json", {"uuid": own, "note": "Approved"})

    writes = await sandbox.ledger(uuid=own)
    assert again.status_code == 409
    assert [(one["effect"], one["answered"]) for one in writes] == [("created", False), ("none", True)]


async def test_requests_are_counted_by_path_and_listed_with_their_query(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    await provider.filtered("job.json", "edit_date gt '2026-01-01 00:00:00'", cursor="-1")
    await provider.one(f"job/{job}.json")
    await provider.one(f"job/{job}.json")

    counters = await sandbox.counters()
    listed = await sandbox.requests("/job.json")

    assert counters["by_path"] == {"POST /api_1.0/job.json": 1, "GET /api_1.0/job.json": 1, "GET /api_1.0/job/{uuid}.json": 2}
    assert counters["by_status"] == {"200": 4}
    assert [one["method"] for one in listed] == ["POST", "GET"]
    assert "edit_date" in listed[1]["query"]
    assert "cursor=-1" in listed[1]["query"]
    assert listed[1]["milliseconds"] >= 0


async def test_a_reset_brings_back_the_beginning(sandbox: RunningSandbox, provider: Provider):
    await sandbox.seed("companies", 10)
    await sandbox.settings(page_size=2, limits_factor=1)
    await sandbox.set_clock("2020-01-01T00:00:00Z", scale=0)
    await sandbox.fault("500", times=None)
    await sandbox.hold_writes()
    await sandbox.reset()

    assert (await provider.get("company.json")).json() == []
    assert (await provider.post("note.json", {"note": "x"})).status_code == 200
    assert (await sandbox.settings())["page_size"] == 1000
    assert (await sandbox.control("GET", "clock"))["now"] > "2026"


async def test_the_page_documents_every_route_and_fault(sandbox: RunningSandbox):
    page = await sandbox.control("GET", "")

    assert len(page["routes"]) >= 20
    assert {"429-minute", "drop-answer", "repeat-page", "wrong-types"} <= set(page["faults"])
    assert [account["api_keys"] for account in page["accounts"]] == [["smk-perth", "smk-perth-2"], ["smk-ljubljana"]]


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("GET", "records/invoice", None),
        ("GET", "records/job/0f0f0f0f-0000-4000-8000-000000000000", None),
        ("POST", "records/job/0f0f0f0f-0000-4000-8000-000000000000", {"status": "Quote"}),
        ("POST", "jobs/0f0f0f0f-0000-4000-8000-000000000000/lines", {}),
        ("POST", "settings", {"accounts": []}),
        ("POST", "settings", {"page_size": 0}),
        ("POST", "clock", {"now": "tomorrow"}),
        ("POST", "seed", {"kind": "everything"}),
        ("POST", "gate", []),
    ],
)
async def test_a_control_request_that_makes_no_sense_is_refused_with_a_sentence(
    sandbox: RunningSandbox, method: str, route: str, body: object
):
    with pytest.raises(ControlRefused, match=r"\w+"):
        await sandbox.control(method, route, body)
