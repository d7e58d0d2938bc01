"""Faults on demand: each is seen by a plain client, does what it says, and ends when it should."""

import asyncio
import time

import httpx
import orjson
import pytest

from app.connectors.metakocka.sandbox.testing import ControlRefused, RunningSandbox, document_id, partner_id

from .provider import Provider

OFFERS = "*/put_document:sales_offer"


@pytest.mark.parametrize("kind", ["opr-1", "opr-3", "opr-5"])
async def test_a_failure_comes_instead_of_the_work(sandbox: RunningSandbox, provider: Provider, kind: str):
    body = await provider.draft()
    await sandbox.fault(kind)
    code, _ = await provider.refused("put_document", **body)

    assert code == kind[-1]
    assert await sandbox.effects(operation="put_document") == []
    assert (await provider.done("put_document", **body))["mk_id"]


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("maintenance", 200)])
@pytest.mark.parametrize("after_work", [False, True])
async def test_a_page_comes_instead_of_json_with_or_without_the_work(
    sandbox: RunningSandbox, provider: Provider, kind: str, status: int, after_work: bool
):
    body = await provider.draft()
    await sandbox.fault(kind, path=OFFERS, after_work=after_work)
    answer = await provider.call("put_document", **body)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html;charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert len(await sandbox.effects(object="sales_offer")) == int(after_work)


@pytest.mark.parametrize(("kind", "effects"), [("drop-answer", 1), ("drop-request", 0)])
async def test_a_connection_closes_without_an_answer_with_or_without_the_work(
    sandbox: RunningSandbox, provider: Provider, kind: str, effects: int
):
    body = await provider.draft(count_code="CRM-1")
    await sandbox.fault(kind, path=OFFERS)
    with pytest.raises(httpx.RemoteProtocolError):
        await provider.call("put_document", **body)

    (write,) = await sandbox.ledger(operation="put_document")
    assert (len(write["effects"]), write["answered"]) == (effects, False)
    assert len(await provider.search("sales_offer", query="CRM-1")) == effects


async def test_a_cut_body_is_announced_longer_than_it_is(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("cut", path="*/get_partner")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await provider.call("get_partner")
    assert len(await provider.found()) == 1000


@pytest.mark.parametrize("after_work", [False, True])
async def test_a_slow_call_waits_before_or_after_its_work(sandbox: RunningSandbox, provider: Provider, after_work: bool):
    body = await provider.draft()
    await sandbox.fault("slow", milliseconds=600, after_work=after_work, path="*/put_document")
    began = time.monotonic()
    writing = asyncio.create_task(provider.call("put_document", **body))
    await asyncio.sleep(0.25)
    in_between = await sandbox.effects(object="sales_offer")
    await writing

    assert time.monotonic() - began >= 0.6
    assert len(in_between) == int(after_work)


@pytest.mark.alone
async def test_waits_follow_the_clock(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock(scale=100)
    await sandbox.settings(create_invoice_seconds=47)
    await sandbox.fault("slow", milliseconds=10_000, path="*/warehouse_list")
    began = time.monotonic()
    await provider.put("sales_order", create_invoice="true")
    invoiced = time.monotonic()
    await provider.done("warehouse_list")

    assert 0.47 <= invoiced - began < 5
    assert 0.1 <= time.monotonic() - invoiced < 5


async def test_a_stale_read_shows_what_was_before_the_last_write(sandbox: RunningSandbox, provider: Provider):
    offer = document_id("sales_offer", 0)
    created = await provider.put("sales_order", buyer_order="CRM-S")
    await sandbox.fault("stale-read", path="*/get_document", times=2)
    missing = await provider.refused("get_document", doc_type="sales_order", buyer_order="CRM-S")
    still_missing = await provider.refused("get_document", doc_type="sales_order", doc_id=created["mk_id"])
    there = await provider.document("sales_order", created["mk_id"])

    await sandbox.edit_document("sales_offer", offer, title="Nov naslov")
    await sandbox.fault("stale-read", path="*/get_document")
    before = await provider.document("sales_offer", offer)
    after = await provider.document("sales_offer", offer)

    assert (missing[0], still_missing[0], there["mk_id"]) == ("2", "2", created["mk_id"])
    assert before["title"] != "Nov naslov"
    assert after["title"] == "Nov naslov"


async def test_a_stale_read_of_partners_shows_a_deleted_one(sandbox: RunningSandbox, provider: Provider):
    await sandbox.delete_partner(partner_id(3))
    await sandbox.fault("stale-read")
    stale = await provider.found()
    fresh = await provider.found()

    assert partner_id(3) in {one["mk_id"] for one in stale}
    assert partner_id(3) not in {one["mk_id"] for one in fresh}
    assert len(stale) == len(fresh) == 1000


@pytest.mark.parametrize("limit", [50, 100])
async def test_a_row_comes_twice_across_two_windows(sandbox: RunningSandbox, provider: Provider, limit: int):
    await sandbox.fault("duplicate-row", path="*/search", times=None)
    first = await provider.search("sales_order", limit=str(limit))
    reply = await provider.done("search", doc_type="sales_order", limit=str(limit), offset=str(limit))
    await sandbox.clear_faults()

    assert reply["result"][0] == first[-1]
    assert len(reply["result"]) == limit
    assert (await provider.search("sales_order", offset=str(limit)))[0] == reply["result"][1]


async def test_a_partner_comes_twice_across_two_windows(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("duplicate-row", path="*/get_partner", skip=1)
    first, second = await provider.found(), await provider.found(offset="1000")

    assert second[0] == first[-1]
    assert len(second) == 201


async def test_a_body_may_be_no_json(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("malformed-json")
    answer = await provider.call("get_partner", partner_id=partner_id(0))

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)
    assert answer.headers["content-type"] == "application/json"


async def test_a_fault_leaves_others_alone_ends_in_time_and_is_counted(sandbox: RunningSandbox, provider: Provider):
    await sandbox.fault("opr-1", path="*/search", times=2, skip=1)
    await sandbox.fault("opr-5", writes=False, times=1, path="*/get_partner")
    await provider.partner()
    codes = [(await provider.call("search", doc_type="sales_order")).json()["opr_code"] for _ in range(4)]
    await provider.refused("get_partner")
    counters = await sandbox.counters()

    assert codes == ["0", "1", "1", "0"]
    assert counters["faults"] == {"opr-1": 2, "opr-5": 1}
    assert (await sandbox.control("GET", "faults"))["in_force"] == []
    assert [one["faults"] for one in await sandbox.requests("search")] == [[], ["opr-1"], ["opr-1"], []]


async def test_chance_is_the_same_for_the_same_seed(sandbox: RunningSandbox, provider: Provider):
    async def codes() -> list[str]:
        await sandbox.reset()
        await sandbox.fault("opr-1", times=None, probability=0.5, seed=7)
        return [(await provider.call("warehouse_list")).json()["opr_code"] for _ in range(12)]

    first = await codes()

    assert set(first) == {"0", "1"}
    assert await codes() == first


async def test_an_unknown_fault_is_refused_in_a_sentence(sandbox: RunningSandbox):
    with pytest.raises(ControlRefused, match="kind"):
        await sandbox.fault("flood")


async def test_writes_can_be_held_at_a_gate(sandbox: RunningSandbox, provider: Provider):
    body = await provider.draft()
    await sandbox.hold_writes(path="*/put_document")
    writing = asyncio.create_task(provider.call("put_document", **body))
    await sandbox.wait_until_held()
    held = await sandbox.effects(object="sales_offer")
    await sandbox.release_writes()

    assert len(held) == 1
    assert (await writing).json()["mk_id"] == held[0]["mk_id"]
