"""Faults on demand: each is seen by a plain client, does what it says, and ends when it should."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from app.connectors.servicem8.sandbox.testing import ControlRefused, RunningSandbox, running_sandbox

from .provider import Provider, walk

REFUSALS = {
    "429-minute": (429, "per minute exceeded"),
    "429-day": (429, "per day exceeded"),
    "500": (500, '"errorCode":500'),
    "503": (503, '"errorCode":503'),
    "402": (402, '"errorCode":402'),
    "403": (403, "insufficient_scope:"),
}


@pytest.mark.parametrize(("kind", "status", "part"), [(kind, *seen) for kind, seen in REFUSALS.items()])
async def test_a_refusal_comes_instead_of_the_work(sandbox: RunningSandbox, provider: Provider, kind: str, status: int, part: str):
    job = await provider.quote()
    await sandbox.fault(kind)
    answer = await provider.post(f"job/{job}.json", {"status": "Work Order"})

    assert answer.status_code == status
    assert part in answer.text
    assert (await sandbox.record("job", job))["status"] == "Quote"
    assert (await sandbox.ledger(uuid=job))[-1]["effect"] == "none"
    assert (await provider.get("job.json")).status_code == 200


@pytest.mark.parametrize("kind", ["500", "503"])
async def test_a_server_error_may_come_after_the_work(sandbox: RunningSandbox, provider: Provider, kind: str):
    job = await provider.quote()
    await sandbox.fault(kind, after_work=True)
    answer = await provider.post(f"job/{job}.json", {"status": "Work Order"})

    assert answer.status_code == int(kind)
    assert (await sandbox.record("job", job))["status"] == "Work Order"
    entry = (await sandbox.ledger(uuid=job))[-1]
    assert (entry["effect"], entry["status"]) == ("updated", int(kind))


@pytest.mark.parametrize(("kind", "effect"), [("drop-answer", "updated"), ("drop-request", "none")])
async def test_a_connection_closes_without_an_answer_with_or_without_the_work(
    sandbox: RunningSandbox, provider: Provider, kind: str, effect: str
):
    job = await provider.quote()
    await sandbox.fault(kind, method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        await provider.post(f"job/{job}.json", {"status": "Work Order"})

    entry = (await sandbox.ledger(uuid=job))[-1]
    assert (entry["effect"], entry["answered"]) == (effect, False)
    assert (await sandbox.record("job", job))["status"] == ("Work Order" if effect == "updated" else "Quote")


async def test_a_cut_body_is_announced_longer_than_it_is(sandbox: RunningSandbox, provider: Provider):
    await sandbox.seed("companies", 100)
    await sandbox.fault("cut")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await provider.get("company.json", cursor="-1")
    assert len((await provider.get("company.json", cursor="-1")).json()) == 100


@pytest.mark.parametrize("after_work", [False, True])
async def test_a_slow_request_waits_before_or_after_its_work(sandbox: RunningSandbox, provider: Provider, after_work: bool):
    job = await provider.quote()
    await sandbox.fault("slow", milliseconds=1000, after_work=after_work, method="POST")
    began = time.monotonic()
    writing = asyncio.create_task(provider.post(f"job/{job}.json", {"status": "Work Order"}))
    await asyncio.sleep(0.25)
    in_between = (await sandbox.record("job", job))["status"]
    answer = await writing

    assert (answer.status_code, in_between) == (200, "Work Order" if after_work else "Quote")
    assert time.monotonic() - began > 0.95


async def test_a_client_that_gave_up_does_not_stop_slow_work(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    await sandbox.fault("slow", milliseconds=500, method="POST")
    with pytest.raises(httpx.ReadTimeout):
        await provider.post(f"job/{job}.json", {"status": "Work Order"}, timeout=0.1)
    before = (await sandbox.record("job", job))["status"]
    await asyncio.sleep(0.6)

    entry = (await sandbox.ledger(uuid=job))[-1]
    assert before == "Quote"
    assert (entry["effect"], entry["answered"]) == ("updated", False)


async def _page_with(sandbox: RunningSandbox, provider: Provider, kind: str, **options: Any) -> list[dict[str, Any]]:
    await sandbox.fault(kind, path="*/job.json", **options)
    page = (await provider.get("job.json", cursor="-1")).json()
    await sandbox.clear_faults()
    return page


@pytest.fixture
async def five_quotes(sandbox: RunningSandbox) -> RunningSandbox:
    await sandbox.seed("jobs", 5)
    return sandbox


async def test_a_record_may_stand_twice_in_a_page(five_quotes: RunningSandbox, provider: Provider):
    page = await _page_with(five_quotes, provider, "duplicate-record")

    assert (len(page), page[0]) == (6, page[1])


async def test_records_may_lack_their_id_have_wrong_amounts_or_texts(five_quotes: RunningSandbox, provider: Provider):
    without, amounts, texts, status, types = [
        (await _page_with(five_quotes, provider, kind, records=2))
        for kind in ("missing-uuid", "nan-amount", "long-text", "unknown-status", "wrong-types")
    ]

    assert ["uuid" in job for job in without] == [False, False, True, True, True]
    assert [job["total_invoice_amount"] == "NaN" for job in amounts] == [True, True, False, False, False]
    assert len(texts[0]["job_description"]) == 100_000
    assert [job["status"] for job in status] == ["Parked"] * 2 + ["Quote"] * 3
    assert isinstance(types[0]["edit_date"], int)
    assert isinstance(types[0]["job_address"], dict)


async def test_a_single_record_is_damaged_as_one_of_a_list_is(five_quotes: RunningSandbox, provider: Provider):
    (job, *_) = await five_quotes.records("job")
    await five_quotes.fault("unknown-status", path=f"*/{job['uuid']}.json")

    assert (await provider.one(f"job/{job['uuid']}.json"))["status"] == "Parked"


@pytest.mark.parametrize("kind", ["malformed-json", "truncated-array"])
async def test_a_body_may_be_no_json_with_the_right_length(five_quotes: RunningSandbox, provider: Provider, kind: str):
    await five_quotes.fault(kind)
    answer = await provider.get("job.json", cursor="-1")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="line 1 column"):
        answer.json()


async def test_a_page_may_come_again_under_its_own_cursor(five_quotes: RunningSandbox, provider: Provider):
    await five_quotes.settings(page_size=2)
    await five_quotes.fault("repeat-page", skip=1)

    pages = [[job["uuid"] for job in page] for page in await walk(provider, "job.json")]

    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert pages[1] == pages[2]


async def test_damage_meets_reads_only(five_quotes: RunningSandbox, provider: Provider):
    await five_quotes.fault("malformed-json")

    assert (await provider.post("note.json", {"note": "x"})).json() == {"errorCode": 0, "message": "OK"}
    assert len((await five_quotes.control("GET", "faults"))["in_force"]) == 1


async def test_a_fault_meets_the_next_times_after_those_it_skips(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("503", skip=1, times=2)

    assert [(await provider.get("vendor.json")).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


async def test_a_fault_meets_by_method_and_path_pattern(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("500", method="post", path="*/JOB*", times=None)

    assert (await provider.get("job.json")).status_code == 200
    assert (await provider.post("note.json", {"note": "x"})).status_code == 200
    assert (await provider.post("job.json", {"status": "Quote"})).status_code == 500
    assert (await provider.post("Jobmaterial.json", {})).status_code == 500
    await sandbox.clear_faults()
    assert (await provider.post("job.json", {"status": "Quote"})).status_code == 200


async def test_a_probability_is_drawn_from_its_seed(sandbox: RunningSandbox, provider: Provider):
    async def drawn(seed: int) -> list[int]:
        await sandbox.clear_faults()
        await sandbox.fault("503", times=None, probability=0.3, seed=seed)
        return [(await provider.get("vendor.json")).status_code for _ in range(60)]

    first, again, other = await drawn(1), await drawn(1), await drawn(2)

    assert first == again != other
    assert 5 < first.count(503) < 32


async def test_several_faults_meet_together(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("slow", milliseconds=200, times=None)
    await sandbox.fault("503")
    began = time.monotonic()

    assert (await provider.get("vendor.json")).status_code == 503
    assert time.monotonic() - began > 0.18
    assert (await sandbox.requests("vendor"))[-1]["faults"] == ["slow", "503"]


async def test_the_json_variant_of_the_limit_holds_for_faults_too(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(json_limit_refusals=True)
    await sandbox.fault("429-day")

    assert (await provider.get("vendor.json")).json()["errorCode"] == 429


@pytest.mark.parametrize(
    "fault", [{"kind": "earthquake"}, {"kind": "500", "times": 0}, {"kind": "500", "probability": 2}, {"kind": "500", "when": "now"}]
)
async def test_a_fault_that_makes_no_sense_is_refused(sandbox: RunningSandbox, fault: dict[str, Any]):
    with pytest.raises(ControlRefused):
        await sandbox.control("POST", "faults", fault)


async def test_a_stopped_sandbox_is_an_outage(provider: Provider):
    async with running_sandbox() as other:
        other.stop()
        with pytest.raises(httpx.ConnectError):
            await provider.http.get(f"{other.api_url}/vendor.json")
