"""`search` and what `search_query_advance_discovery` says of it."""

import asyncio
import time

import httpx
import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox, document_id

from .provider import MAIN, Provider, Values, line, listed


def ids(rows: list[Values]) -> list[str]:
    return [one["mk_id"] for one in rows]


async def test_a_window_tells_how_many_there_are_and_holds_a_hundred_at_most(provider: Provider):
    reply = await provider.done("search", doc_type="sales_order", limit="500")

    assert (reply["result_all_records"], reply["result_count"], reply["limit"], reply["offset"]) == ("200", "100", "100", "0")
    assert set(reply["result"][0]) == {"mk_id", "opr_code", "count_code"}


async def test_windows_follow_the_ids_upwards_or_downwards(provider: Provider):
    up = await provider.search("sales_order")
    down = await provider.search("sales_order", order_direction="desc")
    second = await provider.search("sales_order", offset="100")
    past = await provider.done("search", doc_type="sales_order", offset="200")

    assert ids(up + second) == [document_id("sales_order", index) for index in range(200)]
    assert ids(down) == [document_id("sales_order", 199 - index) for index in range(100)]
    assert "result" not in past
    assert ids(await provider.search("workorder")) == []


async def test_stock_documents_ascend_and_work_orders_descend_without_a_wish(provider: Provider):
    for doc_type, ascending in (("warehouse_packing_list", True), ("workorder", False)):
        made = [(await provider.put(doc_type))["mk_id"] for _ in range(2)]

        assert ids(await provider.search(doc_type)) == (made if ascending else made[::-1])


async def test_one_hit_is_an_object_and_none_leaves_the_list_out(provider: Provider):
    await provider.put(count_code="CRM-EDINA")
    one = await provider.done("search", doc_type="sales_offer", query="crm-edina")
    none = await provider.done("search", doc_type="sales_offer", query="ni-je")

    assert one["result"]["count_code"] == "CRM-EDINA"
    assert (none["result_all_records"], none["result_count"], "result" in none) == ("0", "0", False)


async def test_whole_documents_can_be_asked_for(provider: Provider):
    made = await provider.put(count_code="CRM-CELA", title="Naslov")
    (found,) = await provider.search("sales_offer", query="CRM-CELA", result_type="doc")
    read = await provider.document("sales_offer", made["mk_id"])

    assert found == {name: value for name, value in read.items() if name != "opr_time_ms"}


async def test_free_text_is_found_in_numbers_references_and_names_but_not_in_titles_unless_switched_on(
    sandbox: RunningSandbox, provider: Provider
):
    partner = {"customer": "Iskani Žebelj d.o.o.", "street": "1"}
    made = await provider.put("sales_order", partner=partner, buyer_order="CRM-REF-1", title="Beseda")

    for text in ("žebelj", "crm-ref-1", made["count_code"]):
        assert made["mk_id"] in ids(await provider.search("sales_order", query=text))
    assert await provider.search("sales_order", query="beseda") == []
    await sandbox.settings(query_sees_title=True)
    assert ids(await provider.search("sales_order", query="beseda")) == [made["mk_id"]]


@pytest.mark.parametrize("name", ["doc_date_from", "doc_date_to"])
async def test_offers_take_no_dates(provider: Provider, name: str):
    code, text = await provider.refused("search", doc_type="sales_offer", query_advance=[{"type": name, "value": "01.03.2026"}])

    assert code == "2"
    assert "cannot get beQueryParam" in text


async def test_days_are_inclusive(provider: Provider):
    made = [(await provider.put("sales_order", doc_date=f"0{day}.03.2031"))["mk_id"] for day in (1, 2, 3)]

    found = await provider.search("sales_order", ("doc_date_from", "2031-03-02+02:00"), ("doc_date_to", "03.03.2031"))

    assert ids(found) == made[1:]
    wrong = {"type": "doc_date_from", "value": "2031-03-02"}
    assert (await provider.refused("search", doc_type="sales_order", query_advance=[wrong]))[0] == "6"


async def test_changes_of_orders_are_found_by_the_wall_clock_in_ljubljana(sandbox: RunningSandbox, provider: Provider):
    order = document_id("sales_order", 0)
    await sandbox.set_clock("2031-01-15T12:00:00Z", scale=0)
    await sandbox.edit_document("sales_order", order, notes="Spremenjeno")

    async def changed_since(moment: str) -> list[str]:
        return ids(await provider.search("sales_order", ("last_change_from", moment)))

    assert await changed_since("2031-01-15T13:00:00+02:00") == [order]
    assert await changed_since("2031-01-15T13:00:01+02:00") == []
    assert ids(await provider.search("sales_order", ("last_change_to", "2031-01-15T12:59:59+02:00"), limit="1")) != [order]
    bills = [{"type": "last_change_from", "value": "2031-01-15T13:00:00+02:00"}]
    assert (await provider.refused("search", doc_type="sales_bill_domestic", query_advance=bills))[0] == "2"


async def test_changes_of_status_need_three_filters(sandbox: RunningSandbox, provider: Provider):
    order = document_id("sales_order", 1)
    await sandbox.set_clock("2031-07-15T12:00:00Z", scale=0)
    await provider.done("change_document_status", doc_type="sales_order", mk_id=order, status_code="shipped")
    window = [("status_change_from", "2031-07-15T14:00:00+02:00"), ("status_change_to", "2031-07-15T14:00:00+02:00")]

    assert ids(await provider.search("sales_order", *window, ("status_change_list", "shipped,draft"))) == [order]
    assert await provider.search("sales_order", *window, ("status_change_list", "draft")) == []
    query = [{"type": name, "value": value} for name, value in window]
    assert (await provider.refused("search", doc_type="sales_order", query_advance=query))[0] == "2"


async def test_filters_of_orders(sandbox: RunningSandbox, provider: Provider):
    partner = {"customer": "Filter d.o.o.", "street": "1", "country": "Malta", "partner_contact": {"email": "f@f.test", "gsm": "040 1"}}
    made = await provider.put(
        "sales_order", partner=partner, buyer_order="CRM-F", profit_center="Servis", delivery_type="Dostava",
        product_list=[line("CISTO-NOV", unit="kos")], status_code="cancelled",
    )  # fmt: skip
    await sandbox.edit_document("sales_order", made["mk_id"], tracking_last_event_date="2031-01-01T10:00:00+02:00")
    product = (await provider.done("product_list", code="CISTO-NOV"))["product_list"]["mk_id"]
    narrow = {
        "partner_country": "malta", "partner_recipient_name": "filter", "partner_recipient_email": "f@f.test",
        "partner_recipient_phone": "040 1", "customer_order": "CRM-F", "profit_center": "Servis", "product_id_list": f"1,{product}",
        "product_code_list": "X,CISTO-NOV", "tracking_last_event_date_from": "2031-01-01T00:00:00+02:00",
    }  # fmt: skip

    for name, value in narrow.items():
        assert ids(await provider.search("sales_order", (name, value))) == [made["mk_id"]], name
    several = [("delivery_type", "Dostava"), ("status_list", "cancelled,draft"), ("status_id_list", "5"), ("customer_order", "CRM-F")]
    assert ids(await provider.search("sales_order", *several)) == [made["mk_id"]]
    assert await provider.search("sales_order", *several, ("status_list", "draft")) == []


async def test_filters_of_bills(provider: Provider):
    partner = {"customer": "Plačnik d.o.o.", "street": "1", "tax_id_number": "SI55554444"}
    made = await provider.put("sales_bill_domestic", partner=partner)
    number = (await provider.whole(made["partner"]["mk_id"]))["count_code"]
    keys = {
        "partner_mk_id": made["partner"]["mk_id"], "partner_code": number, "partner_query": "plačnik", "partner_tax_num": "si55554444",
    }  # fmt: skip
    one = ("partner_code", number)

    for name, value in keys.items():
        assert ids(await provider.search("sales_bill_domestic", (name, value))) == [made["mk_id"]], name
    assert ids(await provider.search("sales_bill_domestic", one, ("status_id_list", "-2"), ("payment_status", "false"))) == [made["mk_id"]]
    await provider.done("put_transaction", doc_type="bill", mk_id=made["mk_id"], date="01.04.2026", price="122")
    assert await provider.search("sales_bill_domestic", one, ("payment_status", "false")) == []
    assert ids(await provider.search("sales_bill_domestic", one, ("payment_status", "true"))) == [made["mk_id"]]


async def test_unpaid_bills_are_those_without_enough_payments(provider: Provider):
    unpaid = await provider.search("sales_bill_domestic", ("payment_status", "false"), result_type="doc")
    paid = await provider.search("sales_bill_domestic", ("payment_status", "true"), result_type="doc")

    assert unpaid
    assert all(float(one.get("sum_paid", "0")) < float(one["sum_all"]) for one in unpaid)
    assert all(float(one["sum_paid"]) >= float(one["sum_all"]) for one in paid)


async def test_products_come_under_their_own_name(provider: Provider):
    reply = await provider.done("search", doc_type="purchase_product", limit="5")

    assert "result" not in reply
    assert len(reply["result_product"]) == 5
    assert {one["purchasing"] for one in reply["result_product"]} == {"true"}


async def test_discovery_tells_exactly_the_filters_that_are_taken(provider: Provider):
    told = await provider.done("search_query_advance_discovery")
    values = {"doc_date": "01.03.2026", "status_change": "2026-03-01T00:00:00+02:00", "last_change": "2026-03-01T00:00:00+02:00"}
    values |= {"tracking": "2026-03-01T00:00:00+02:00"}

    assert "sales_offer" not in told
    assert await provider.done("search_query_advance_discovery", doc_type="sales_offer") == {}
    for doc_type in ("sales_order", "sales_bill_domestic", "warehouse_packing_list"):
        names = [one["type"] for one in told[doc_type]]
        sent = [(name, next((text for start, text in values.items() if name.startswith(start)), "x")) for name in names]
        await provider.search(doc_type, *sent)
        assert (await provider.refused("search", doc_type=doc_type, query_advance=[{"type": "color", "value": "x"}]))[0] == "2"
        assert all(set(one) == {"type", "label", "value_desc"} for one in told[doc_type])


@pytest.mark.alone
async def test_the_searches_of_a_company_pass_one_after_another(
    sandbox: RunningSandbox, http: httpx.AsyncClient, provider: Provider, second: Provider
):
    await sandbox.settings(search_seconds=0.2)

    async def seconds(*calls: Provider, groups: tuple[str, ...] = ()) -> float:
        began = time.monotonic()
        headers = [{"searchGroup": group} for group in groups] or [{} for _ in calls]
        posts = (
            http.post(f"{MAIN}search", json=one.credentials | {"doc_type": "sales_order"}, headers=header)
            for one, header in zip(calls, headers, strict=True)
        )
        await asyncio.gather(*posts)
        return time.monotonic() - began

    assert await seconds(provider, provider, provider) > 0.55
    assert await seconds(provider, second) < 0.4
    assert await seconds(provider, provider, groups=("1", "2")) > 0.35
    await sandbox.settings(standalone=True)
    assert await seconds(provider, provider, groups=("1", "2")) < 0.35


async def test_calls_at_the_same_time_can_be_capped(sandbox: RunningSandbox, provider: Provider):
    await sandbox.settings(concurrent_calls=2)
    await sandbox.fault("slow", milliseconds=400, times=None)
    answers = await asyncio.gather(*(provider.call("warehouse_list") for _ in range(4)))
    await sandbox.clear_faults()

    assert sorted(one.json()["opr_code"] for one in answers) == ["0", "0", "5", "5"]
    counters = await sandbox.counters()
    assert (counters["refused"], counters["most_at_once"]) == ({"concurrent": 2}, {"16": 2})
    assert listed((await provider.done("warehouse_list"))["warehouse_list"])
