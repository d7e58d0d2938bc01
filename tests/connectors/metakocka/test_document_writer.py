"""Offers, orders and bills are written once, whatever becomes of the answer; the sandbox's ledger is the witness."""

from typing import Any

import pytest

from app.connectors.errors import RequestRejected
from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.connectors.metakocka.company import add_document, add_partner, ask, metakocka, new_document, product_codes
from tests.connectors.metakocka.writing import create, read, shown, update, write_until_known

STREAMS = {"offers": "sales_offer", "orders": "sales_order", "bills": "sales_bill_domestic"}
MOVED = ("document_info", "last_change_user", "order_create_ts")
FAULTS = ("drop-answer", "drop-request", "cut", "500", "maintenance", "opr-1")
HEAD = ("title", "notes", "doc_date", "duo_payment", "valid_to", "discount_percent", "currency_code", "partner_mk_id")


def writer_of(stream: str) -> Any:
    return connector.streams[stream].writer


@pytest.mark.parametrize("after_work", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", STREAMS)
async def test_a_document_is_created_once_whatever_becomes_of_the_answer(mk: RunningSandbox, stream: str, fault: str, after_work: bool):
    document = await new_document(mk)
    async with metakocka(mk, attempts=1) as opened:
        await mk.fault(fault, path="*/put_document", after_work=after_work)
        reading = await write_until_known(opened.session, stream, create(document))

    assert (await mk.counters())["faults"] == {fault: 1}
    made = [(one["object"], one["effect"], one["mk_id"]) for one in await mk.effects() if one["object"] != "product"]
    assert made == [(STREAMS[stream], "created", reading.item.external_id)]
    after = shown(stream, reading)
    defaults = {"duo_payment": "2026-01-15"} if stream == "bills" else {}
    assert {name: after[name] for name in HEAD if name in document} == {
        name: document[name] for name in HEAD if name in document
    } | defaults
    told = [{name: line[name] for name in document["lines"][0]} for line in after["lines"]]
    assert told == [document["lines"][0], {**document["lines"][1], "discount": ""}]


async def test_a_search_that_does_not_show_the_document_yet_makes_no_second_one(mk: RunningSandbox):
    document = await new_document(mk)
    async with metakocka(mk, attempts=1) as opened:
        await mk.fault("drop-answer", path="*/put_document")
        await mk.fault("stale-read", path="*/search")
        reading = await writer_of("offers").write(opened.session, create(document))

    assert (await mk.counters())["faults"] == {"drop-answer": 1, "stale-read": 1}
    assert [one["mk_id"] for one in await mk.effects(object="sales_offer")] == [reading.item.external_id]


async def test_a_second_document_of_another_delivery_is_another_one(mk: RunningSandbox):
    document = await new_document(mk)
    async with metakocka(mk) as opened:
        first = await writer_of("offers").write(opened.session, create(document))
        second = await writer_of("offers").write(opened.session, create(document))

    assert first.item.external_id != second.item.external_id


@pytest.mark.parametrize("after_work", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", STREAMS)
async def test_a_document_is_changed_once_and_nothing_else_of_it(mk: RunningSandbox, stream: str, fault: str, after_work: bool):
    doc_type = STREAMS[stream]
    more = {"service_to_date": "2026-03-01"} if stream == "bills" else {}
    made = await add_document(
        mk, doc_type, duo_payment="2026-03-10", discount_value="3", profit_center="Servis", method_of_payment="Kartica", **more
    )
    before = await mk.document(doc_type, made["mk_id"])
    async with metakocka(mk, attempts=1) as opened:
        write = await update(opened.session, stream, made["mk_id"], title="Nov naslov", duo_payment="2026-03-20")
        await mk.fault(fault, path="*/put_document", after_work=after_work)
        reading = await write_until_known(opened.session, stream, write)

    assert (await mk.counters())["faults"] == {fault: 1}
    assert [one["effect"] for one in await mk.effects(object=doc_type)] == ["changed"]
    after = await mk.document(doc_type, made["mk_id"])
    expected = {**before, "title": "Nov naslov", "duo_payment": "2026-03-20+02:00"}
    assert comparable(after) == comparable(expected)
    assert shown(stream, reading)["title"] == "Nov naslov"


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Without what every write moves: row ids and the change log."""
    lines = document["product_list"]
    rows = [
        {name: value for name, value in line.items() if name != "mk_row_id"} for line in (lines if isinstance(lines, list) else [lines])
    ]
    return {name: value for name, value in document.items() if name not in MOVED} | {"product_list": rows}


async def test_a_changed_line_keeps_what_the_hub_does_not_know_of_it(mk: RunningSandbox):
    codes = await product_codes(mk)
    lines = [
        {"code": codes[0], "amount": "2", "price_with_tax": "122", "discount": "22;23", "tax": "EX4", "name_desc": "<b>x</b>"},
        {"code": codes[1], "amount": "1", "price": "5", "tax": "EX4"},
    ]
    partner = (await add_document(mk, "sales_offer"))["partner"]
    ids = {name: partner[name] for name in ("mk_id", "mk_address_id")}
    offer = await ask(mk, "put_document", doc_type="sales_offer", doc_date="01.03.2026", partner=ids, product_list=lines)
    await mk.clear_ledger()
    async with metakocka(mk) as opened:
        before = shown("offers", await read(opened.session, "offers", offer["mk_id"]))
        wanted = [{**before["lines"][0], "amount": "3"}, {**before["lines"][1], "price": "6"}, {**before["lines"][1], "doc_desc": "še en"}]
        write = await update(opened.session, "offers", offer["mk_id"], lines=wanted)
        reading = await writer_of("offers").write(opened.session, write)

    (sent,) = [one["sent"]["product_list"] for one in await mk.ledger(operation="put_document")]
    assert (sent[0]["amount"], sent[0]["price_with_tax"], sent[0]["discount"], sent[0]["name_desc"]) == ("3", "122", "22;23", "<b>x</b>")
    assert "price" not in sent[0]
    told = [(line["code"], line["amount"], line["price"], line["doc_desc"]) for line in shown("offers", reading)["lines"]]
    assert told == [(codes[0], "3", "100", ""), (codes[1], "1", "6", ""), (codes[1], "1", "5", "še en")]


async def test_what_is_there_already_is_not_written(mk: RunningSandbox):
    offer = await add_document(mk, "sales_offer")
    async with metakocka(mk) as opened:
        write = await update(opened.session, "offers", offer["mk_id"], title="Prenova kopalnice", discount_percent="0")
        await writer_of("offers").write(opened.session, write)

    assert await mk.ledger() == []


async def test_an_edit_of_staff_between_reading_and_writing_stays(mk: RunningSandbox):
    offer = await add_document(mk, "sales_offer")
    async with metakocka(mk) as opened:
        write = await update(opened.session, "offers", offer["mk_id"], title="Nov naslov")
        await mk.edit_document("sales_offer", offer["mk_id"], notes="Pisarna: rok potrjen")
        await writer_of("offers").write(opened.session, write)

    after = await mk.document("sales_offer", offer["mk_id"])
    assert (after["title"], after["notes"]) == ("Nov naslov", "Pisarna: rok potrjen")


async def test_an_offers_status_is_written_as_its_key(mk: RunningSandbox):
    offer = await add_document(mk, "sales_offer", status="sent")
    async with metakocka(mk) as opened:
        first = await writer_of("offers").write(opened.session, await update(opened.session, "offers", offer["mk_id"], title="Drug naslov"))
        second = await writer_of("offers").write(opened.session, await update(opened.session, "offers", offer["mk_id"], status="accepted"))

    assert (shown("offers", first)["status"], shown("offers", second)["status"]) == ("quote", "accepted")
    assert [one["sent"]["status_code"] for one in await mk.ledger(operation="put_document")] == ["sent", "accepted"]


async def test_another_partner_is_linked_by_its_ids(mk: RunningSandbox):
    offer, partner = await add_document(mk, "sales_offer"), await add_partner(mk, "Drugi d.o.o.")
    async with metakocka(mk) as opened:
        write = await update(opened.session, "offers", offer["mk_id"], partner_mk_id=partner["mk_id"])
        reading = await writer_of("offers").write(opened.session, write)

    assert shown("offers", reading)["partner_name"] == "Drugi d.o.o."
    assert await mk.effects(object="partner") == []


async def test_a_foreign_partner_gets_a_foreign_bill(mk: RunningSandbox):
    partner = await add_partner(mk, foreign_county="true")
    async with metakocka(mk) as opened:
        reading = await writer_of("bills").write(opened.session, create(await new_document(mk, partner_mk_id=partner["mk_id"])))

    assert shown("bills", reading)["doc_type"] == "sales_bill_foreign"


@pytest.mark.parametrize("fault", ["drop-answer", "cut", "500", "maintenance", "opr-1"])
async def test_an_order_is_deleted_once_and_what_is_gone_is_well(mk: RunningSandbox, fault: str):
    order = await add_document(mk, "sales_order")
    async with metakocka(mk, attempts=1) as opened:
        await mk.fault(fault, path="*/delete_document", after_work=True)
        await writer_of("orders").remove(opened.session, order["mk_id"])
        await writer_of("orders").remove(opened.session, order["mk_id"])

    assert (await mk.counters())["faults"] == {fault: 1}

    assert [one["effect"] for one in await mk.effects(object="sales_order")] == ["deleted"]


async def test_offers_and_bills_are_not_deleted(mk: RunningSandbox):
    async with metakocka(mk) as opened:
        for stream in ("offers", "bills", "partners"):
            with pytest.raises(RequestRejected, match="Metakocka"):
                await writer_of(stream).remove(opened.session, "1")

    assert [writer_of(name).deletes for name in ("offers", "orders", "bills", "partners")] == [None, "delete", None, None]


async def test_a_line_without_an_article_is_refused_before_anything_is_sent(mk: RunningSandbox):
    document = await new_document(mk, lines=[{"code": "", "doc_desc": "Samo besedilo", "amount": "1", "price": "1", "tax_percent": "22"}])
    async with metakocka(mk) as opened:
        with pytest.raises(RequestRejected, match="Line 1 names no article"):
            await writer_of("offers").write(opened.session, create(document))

    assert await mk.ledger() == []
