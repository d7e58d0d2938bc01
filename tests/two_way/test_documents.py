"""Offers, orders and bills both ways, over HTTP to the sandbox: each kind has its own stream, and no other one takes it."""

from dataclasses import replace

import pytest

from app.errors import InvalidInput
from app.syncs.models import RunStatus
from tests.connectors.metakocka.company import add_document, add_offer, product_codes
from tests.two_way.office import ALL, Office

STREAMS = ("offers", "orders", "bills")


async def _creates_missing(office: Office) -> None:
    for stream in STREAMS:
        before = await office.hub.conflicts.policy(office.operator, office.connection.id, stream)
        await office.hub.conflicts.set_policy(
            office.operator, replace(before, creates_missing=True), office.hub.connectors["metakocka"].streams["offers"]
        )


async def _made(office: Office) -> list[tuple[str, str]]:
    return [(one["object"], one["effect"]) for one in await office.sandbox.effects() if one["object"].startswith("sales_")]


@pytest.mark.requirement("MKD-24", "MKD-30")
async def test_what_each_side_changed_of_a_document_is_on_both_after_one_run_both_ways(office: Office):
    partner = await office.sandbox.partner(await office.add("Acme"))
    offer = await add_offer(office.sandbox, partner, title="Roof", notes="Call first")
    await office.run(streams=("partners", *STREAMS))
    await office.edit(await office.record(offer["mk_id"]), title="A new roof")
    await office.sandbox.edit_document("sales_offer", offer["mk_id"], notes="Ring twice")

    run = await office.run("two_way", streams=STREAMS)

    here, there = (await office.record(offer["mk_id"])).data, await office.sandbox.document("sales_offer", offer["mk_id"])
    assert run.status == RunStatus.COMPLETED
    assert (here["title"], here["notes"]) == (there["title"], there["notes"]) == ("A new roof", "Ring twice")
    assert await _made(office) == [("sales_offer", "changed")]
    again = await office.run("two_way", streams=STREAMS)
    assert (again.counts.updated, again.counts.created, again.counts.failed) == (0, 0, 0)


async def test_a_push_that_makes_what_is_missing_makes_no_offer_of_an_order_and_no_order_of_a_bill(office: Office):
    partner = await office.sandbox.partner(await office.add("Acme"))
    for doc_type in ("sales_offer", "sales_order", "sales_bill_domestic"):
        await add_document(office.sandbox, doc_type, partner, duo_payment="2026-04-01", service_to_date="2026-03-01")
    await office.run(streams=("partners", *STREAMS))
    line = {"code": (await product_codes(office.sandbox))[0], "quantity": "2", "unit_price": "10", "tax_rate": "22"}
    values = {"kind": "order", "title": "Only here", "contact_external_id": partner["mk_id"], "currency": "EUR", "lines": [line]}
    mine = await office.hub.edits.create(office.operator, "sales_document", values)
    await _creates_missing(office)

    run = await office.run("push", streams=STREAMS)

    assert (run.counts.created, run.counts.failed) == (1, 0)
    assert await _made(office) == [("sales_order", "created")]
    (mapping,) = (await office.hub.records.mappings(office.operator, ALL, record_id=mine.id)).items
    assert mapping.stream == "orders"


async def test_a_document_finds_its_stream_by_its_kind_and_is_refused_by_another(office: Office):
    partner = await office.sandbox.partner(await office.add("Acme"))
    order = await add_document(office.sandbox, "sales_order", partner)
    await office.run(streams=("partners", *STREAMS))
    record = await office.record(order["mk_id"])

    delivery = await office.hub.pushes.queue(office.operator, record.id, office.connection.id)
    with pytest.raises(InvalidInput) as refused:
        await office.hub.pushes.queue(office.operator, record.id, office.connection.id, stream="offers")

    assert (await office.hub.deliveries.delivery(office.operator, delivery)).record_id == record.id
    assert "Name the stream to write this order to" in refused.value.fields["stream"]


async def test_only_documents_that_belong_to_a_stream_are_unsynced_there(office: Office):
    made = {
        kind: (await office.hub.edits.create(office.operator, "sales_document", {"kind": kind, "title": kind})).id
        for kind in ("offer", "order", "invoice", "credit_note")
    }

    found = {
        stream: {record.id for record in (await office.hub.unsynced.records(office.operator, office.connection.id, stream, ALL)).items}
        for stream in STREAMS
    }
    nothing = await office.hub.unsynced.records(office.operator, office.connection.id, "offers", ALL, kind="order")

    assert found == {"offers": {made["offer"]}, "orders": {made["order"]}, "bills": {made["invoice"], made["credit_note"]}}
    assert list(nothing.items) == []
