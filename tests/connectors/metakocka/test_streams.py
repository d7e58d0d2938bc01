"""What is particular about reading Metakocka, against its sandbox."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.connectors.base import Item, Mode, Page, Session, Walk
from app.connectors.errors import RequestRejected
from app.connectors.metakocka.connector import MetakockaSettings, connector
from app.connectors.metakocka.cutting import Head, Row
from app.connectors.metakocka.goods import stock_items
from app.connectors.metakocka.sandbox.config import SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox, running_sandbox
from app.mappings.translate import RecordInvalid, Translator
from tests.connectors.kit import Opened, client_of, read_all
from tests.connectors.metakocka.company import ACCOUNT, add_document, add_offer, add_partner, ask, metakocka
from tests.connectors.raw_server import answer, raw_server

PARTNERS, OFFERS, ORDERS, STOCK = (connector.streams[name] for name in ("partners", "offers", "orders", "stock"))


def ids(pages: list[Page]) -> list[str]:
    return [item.external_id for page in pages for item in page.items]


def record(stream: str, item: Item) -> Any:
    reads = connector.streams[stream]
    return Translator(reads.entity, reads.fields).translate(reads.assemble(item.payload, (), ACCOUNT), ACCOUNT)


async def walk_with(opened: Opened, meanwhile: Callable[[], Awaitable[object]]) -> list[Page]:
    """A walk over partners in which something happens after the first page."""
    pages: list[Page] = []
    async for page in PARTNERS.read(opened.session, Walk(Mode.FULL)):
        pages.append(page)
        if len(pages) == 1:
            await meanwhile()
    return pages


@pytest.mark.parametrize("gone", [1, 2, 3, 7, 12])
async def test_partners_that_vanish_during_a_walk_hide_none_of_the_others(mk: RunningSandbox, gone: int):
    made = [(await add_partner(mk))["mk_id"] for _ in range(12)]

    async def vanish() -> None:
        for mk_id in made[:gone]:
            await mk.delete_partner(mk_id)

    async with metakocka(mk) as opened:
        pages = await walk_with(opened, vanish)

    assert set(made[gone:]) <= set(ids(pages))


async def test_a_row_that_comes_twice_hides_no_other(mk: RunningSandbox):
    made = [(await add_partner(mk))["mk_id"] for _ in range(12)]
    await mk.fault("duplicate-row", times=None)
    async with metakocka(mk) as opened:
        pages = await read_all(PARTNERS, opened.session, Walk(Mode.FULL))

    assert set(ids(pages)) == set(made)


async def test_orders_are_asked_for_changes_with_an_hour_of_overlap(mk: RunningSandbox):
    await mk.set_clock("2026-11-21T08:00:00Z", scale=0)
    old = await add_document(mk, "sales_order")
    async with metakocka(mk) as opened:
        first = await read_all(ORDERS, opened.session, Walk(Mode.FULL))
        state = {**first[-1].state, "until": "2026-11-21T13:00:00+02:00"}
        await mk.set_clock("2026-11-21T11:30:00Z", scale=0)  # half past twelve there
        new = await add_document(mk, "sales_order")
        second = await read_all(ORDERS, opened.session, Walk(Mode.INCREMENTAL, saved=state))

    assert set(ids(first)) == {old["mk_id"]}
    assert ids(second) == [new["mk_id"]]


async def test_a_single_row_that_comes_as_a_bare_object_is_read(mk: RunningSandbox):
    await mk.settings(single_lists_as_objects="all")
    partner = await add_partner(mk)
    offer = await add_offer(mk, partner)
    async with metakocka(mk) as opened:
        pages = {name: await read_all(connector.streams[name], opened.session, Walk(Mode.FULL)) for name in ("partners", "offers")}

    assert (ids(pages["partners"]), ids(pages["offers"])) == ([partner["mk_id"]], [offer["mk_id"]])
    contact = record("partners", pages["partners"][0].items[0])
    assert (contact.name, contact.address.city, contact.people[0].name) == (partner["customer"], "Ljubljana", "Ana Žagar")


async def test_commas_are_read_as_points(mk: RunningSandbox):
    await mk.settings(comma_decimals=True)
    await add_offer(mk)
    async with metakocka(mk) as opened:
        (page, *_) = await read_all(OFFERS, opened.session, Walk(Mode.FULL))

    offer = record("offers", page.items[0])
    assert [(str(line.quantity), str(line.unit_price)) for line in offer.lines] == [("2", "100"), ("1.5", "40.5"), ("3", "7")]
    assert str(offer.total) == "333.71"


@pytest.mark.parametrize(
    ("status", "settings", "shown"),
    [
        ("open", {}, "quote"),
        ("sent", {}, "quote"),
        ("sent", {"open_statuses": "open"}, "sent"),
        ("", {"open_statuses": ""}, "quote"),
        ("accepted", {}, "accepted"),
        ("rejected", {}, "rejected"),
        ("rejected", {"rejected_status": ""}, "rejected"),
        ("accepted", {"accepted_status": "sent", "open_statuses": "open,accepted"}, "quote"),
    ],
)
async def test_the_settings_say_which_offers_are_quotes(mk: RunningSandbox, status: str, settings: dict[str, str], shown: str):
    await add_offer(mk, status=status)
    async with metakocka(mk, **settings) as opened:
        (page, *_) = await read_all(OFFERS, opened.session, Walk(Mode.FULL))

    assert record("offers", page.items[0]).status == shown


async def test_bills_of_every_type_are_read(mk: RunningSandbox):
    types = ("sales_bill_domestic", "sales_bill_foreign", "sales_bill_retail", "sales_bill_prepaid", "sales_bill_credit_note")
    made = {(await add_document(mk, one, service_to_date="2026-03-01"))["mk_id"] for one in types}
    async with metakocka(mk) as opened:
        pages = await read_all(connector.streams["bills"], opened.session, Walk(Mode.FULL))

    assert set(ids(pages)) == made
    kinds = [record("bills", item).kind for page in pages for item in page.items]
    assert sorted(kinds) == ["credit_note", "invoice", "invoice", "invoice", "prepayment_invoice"]


async def test_a_stream_cannot_be_narrowed(mk: RunningSandbox):
    async with metakocka(mk) as opened:
        with pytest.raises(RequestRejected, match="cannot be narrowed"):
            await read_all(PARTNERS, opened.session, Walk(Mode.FULL, narrowed_to={"contact_external_id": "1"}))


async def test_a_partner_is_found_by_its_id_with_one_request(mk: RunningSandbox):
    made = [await add_partner(mk) for _ in range(6)]
    async with metakocka(mk) as opened:
        found = await PARTNERS.read_one(opened.session, made[4]["mk_id"])

    assert found is not None
    assert found.item.external_id == made[4]["mk_id"]
    assert len(opened.log.calls) == 1


@pytest.mark.parametrize("first", [{"opr_code": "2", "opr_desc": "No partner"}, {"partner_list": [{"mk_id": "5", "count_code": "7"}]}])
async def test_a_partner_that_partner_id_does_not_find_is_looked_for_among_all(first: dict[str, Any]):
    """What `partner_id` means is not documented; "not found" would be taken for "deleted"."""
    answers = [first, {"partner_list": [{"mk_id": "6"}, {"mk_id": "7", "customer": "Žagar"}]}, {"partner_list": {"mk_id": "7"}}]
    settings = MetakockaSettings(company_id="16", secret_key="very-secret", page_size=1000)
    async with raw_server(*(answer("200 OK", json.dumps(one).encode()) for one in answers)) as server, client_of(server.url) as client:
        found = await PARTNERS.read_one(Session(client, settings, ACCOUNT), "7")

    assert found is not None
    assert json.loads(found.item.payload)["mk_id"] == "7"


def test_the_rows_of_a_products_lots_are_one_record():
    rows = [{"warehouse_id": "42", "mk_id": "7", "amount": amount, "lot": str(place)} for place, amount in enumerate(("1,5", "2", "4.25"))]
    found = [Row("42:7", Head(), json.dumps(row).encode()) for row in rows]
    other = Row("43:7", Head(), b'{"warehouse_id":"43","mk_id":"7","amount":"1"}')
    items = stock_items(None, [*found, other])  # type: ignore[arg-type]

    assert [item.external_id for item in items] == ["42:7", "43:7"]
    assert json.loads(items[0].payload)["amount"] == "7.75"


@pytest.mark.requirement("MKD-26")
async def test_everything_that_is_seeded_is_read_and_only_what_is_broken_fails(budgets: None):
    sizes = Sizes(partners=1300, offers=230, orders=120, bills=130, products=60)
    async with running_sandbox(SandboxConfig(sizes=sizes, comma_decimals=True)) as sandbox, metakocka(sandbox, page_size=1000) as opened:
        broken = (await sandbox.seeded())["broken"]
        counts, failed = {}, []
        for name in connector.streams:
            items = [item for page in await read_all(connector.streams[name], opened.session, Walk(Mode.FULL)) for item in page.items]
            counts[name] = len({item.external_id for item in items})
            for item in items:
                try:
                    record(name, item)
                except (ValueError, RecordInvalid):
                    failed.append(item.external_id)

    assert counts == {"partners": 1300, "offers": 230, "orders": 120, "bills": 130, "products": 60, "stock": counts["stock"]}
    assert counts["stock"] > 60
    unreadable = {one["mk_id"] for one in broken if one.get("mk_id") in failed}
    assert set(failed) == unreadable
    assert failed


async def test_texts_of_the_provider_are_kept_out_of_queries(mk: RunningSandbox):
    """A value in a filter stands for itself."""
    await add_partner(mk, 'Ime "v" narekovajih')
    async with metakocka(mk) as opened:
        found = await connector.streams["partners"].writer.find(opened.session, {"customer": 'ime "V" narekovajih'}, "key")  # type: ignore[union-attr]

    assert len(found) == 1


async def test_the_sandbox_is_asked_with_the_key_in_the_body_and_nowhere_else(mk: RunningSandbox):
    async with metakocka(mk) as opened:
        await read_all(PARTNERS, opened.session, Walk(Mode.FULL))

    assert all(mk.secret_key not in call.url for call in opened.log.calls)
    assert (await ask(mk, "get_partner"))["opr_code"] == "2"  # no partner: an empty list, and no failure
