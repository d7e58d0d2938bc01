"""`put_document` and `get_document`."""

import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox, document_id, partner_id

from .provider import MATERIAL, Provider, line, lines_of


async def test_a_document_reads_back_as_text_without_empty_keys(provider: Provider):
    made = await provider.put(title="CRM Q-1", notes="", valid_to="31.03.2026")
    offer = await provider.document("sales_offer", made["mk_id"])
    flat = [value for value in offer.values() if not isinstance(value, (list, dict))]

    assert len(made["mk_id"]) > 10
    assert {type(value) for value in flat} == {str}
    assert "notes" not in offer
    assert (offer["doc_date"], offer["valid_to"]) == ("2026-03-01+02:00", "2026-03-31+02:00")
    assert (offer["title"], offer["currency_code"], offer["opr_code"]) == ("CRM Q-1", "EUR", "0")
    assert {"partner", "customer", "street"} <= {"partner", *offer["partner"]}
    assert made["total_price"] == "122.00"
    assert (offer["sum_basic"], offer["sum_tax_ex4"], offer["sum_all"]) == ("100", "22", "122")
    assert "sum_paid" not in offer


@pytest.mark.parametrize("date", ["01.03.2026", "2026-03-01+02:00", "01.12.2026", "2026-12-01+02:00"])
async def test_two_forms_of_a_date_are_taken_and_replies_have_one_all_year(provider: Provider, date: str):
    made = await provider.put(doc_date=date)
    shown = (await provider.document("sales_offer", made["mk_id"]))["doc_date"]

    assert shown in ("2026-03-01+02:00", "2026-12-01+02:00")


@pytest.mark.parametrize(
    "date",
    ["2026-03-01", "2026-03-01+01:00", "2026-03-01+00:00", "2026-03-01+0200", "2026-03-01T00:00:00+02:00", "1.3.2026", "31.02.2026", "x"],
)
async def test_other_forms_of_a_date_are_code_6(sandbox: RunningSandbox, provider: Provider, date: str):
    body = await provider.draft(doc_date=date)
    await sandbox.clear_ledger()

    assert await provider.refused("put_document", **body) == ("6", "Not valid date for doc_date")
    assert await provider.refused("put_document", **(body | {"doc_date": "01.03.2026", "valid_to": date})) == (
        "6",
        "Not valid date for valid_to",
    )
    assert await sandbox.effects() == []


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"doc_type": "sales_wish"}, "2", "Unknown document type : sales_wish"),
        ({"doc_type": "complaint"}, "2", "Unknown document type : complaint"),
        ({"doc_date": ""}, "2", "Value is require for doc_date"),
        ({"partner": None}, "2", "Partner data are missing"),
        (
            {"partner": {"customer": "Brez ulice"}},
            "2",
            "Partner must have mk_address_id or customer and street for address identification.",
        ),
        ({"partner": {"mk_id": partner_id(0)}}, "2", "Partner must have mk_address_id or customer and street for address identification."),
        ({"profit_center": "Luna"}, "6", "Profit center 'Luna' doesn't exist."),
        ({"product_list": [line("NEZNAN")]}, "8", "Product with code NEZNAN not found - unit must be set to add new product"),
        ({"product_list": [{"mk_id": "150100000000", "amount": "1", "price": "1", "tax": "EX4"}]}, "8", "unit must be set"),
        ({"product_list": [{"code": "STO-00000", "amount": "1", "price": "1"}]}, "2", "Attribute 'tax' for product with code 'STO-00000'"),
        ({"product_list": [line(MATERIAL, amount="-1")]}, "6", "only for service"),
        ({"mk_id": "1600999999999"}, "2", "Cannot find document type sales_offer with id = 1600999999999"),
        ({"count_code": "N" * 31}, "2", "too long"),
    ],
)
async def test_what_is_refused(sandbox: RunningSandbox, provider: Provider, change: dict[str, object], code: str, text: str):
    body = await provider.draft()
    await sandbox.clear_ledger()
    refused = await provider.refused("put_document", **(body | change))

    assert refused[0] == code
    assert text in refused[1]
    assert await sandbox.effects() == []


async def test_an_unknown_status_key_is_refused_with_the_valid_ones(provider: Provider):
    body = await provider.draft(status_code="Odprta")

    code, text = await provider.refused("put_document", **body)

    assert code == "2"
    assert text == "Paramether 'status_code' has invalid value : Odprta. Valid values : open,sent,accepted,rejected"


async def test_a_number_that_is_taken_makes_a_second_document_under_the_companys_own(sandbox: RunningSandbox, provider: Provider):
    body = await provider.draft(count_code="CRM-1042")

    first, second = [await provider.done("put_document", **body) for _ in range(2)]

    assert first["count_code"] == "CRM-1042"
    assert second["count_code"].startswith("PP1_")
    assert first["mk_id"] < second["mk_id"]
    assert len(await sandbox.effects(object="sales_offer", effect="created")) == 2


async def test_a_series_can_be_chosen(provider: Provider):
    made = await provider.put("sales_bill_domestic", count_code="COUNT_CODE_SELECT#SPL-")

    assert made["count_code"].startswith("SPL-")


async def test_partner_data_make_a_new_partner_every_time(sandbox: RunningSandbox, provider: Provider):
    data = {"customer": "Vrstični d.o.o.", "street": "Pot 1", "partner_contact": {"name": "Ana"}}

    made = [await provider.put(partner=data) for _ in range(2)]

    partners = await provider.found(partner_name="Vrstični")
    assert [one["mk_id"] for one in partners] == [one["partner"]["mk_id"] for one in made]
    assert len(await sandbox.effects(object="partner", effect="created")) == 2


async def test_a_refused_line_leaves_neither_partner_nor_product(sandbox: RunningSandbox, provider: Provider):
    lines = [line("NOV-1", unit="kos"), line("NEZNAN")]

    await provider.refused(
        "put_document", **(await provider.draft(partner={"customer": "Odveč d.o.o.", "street": "1"}, product_list=lines))
    )

    assert await sandbox.effects() == []
    assert await provider.found(partner_name="Odveč") == []
    assert "product_list" not in await provider.done("product_list", code="NOV-1")


async def test_an_unknown_code_with_a_unit_makes_a_product_once(sandbox: RunningSandbox, provider: Provider):
    lines = [line("NOV-1", unit="kos", name="Nov artikel"), line("NOV-1", name="Drugo ime")]

    made = await provider.put(product_list=lines)

    document = await provider.document("sales_offer", made["mk_id"])
    assert [one["name"] for one in lines_of(document)] == ["Nov artikel", "Nov artikel"]
    assert len(await sandbox.effects(object="product", effect="created")) == 1


async def test_a_replace_swaps_all_lines_keeps_the_number_and_gives_new_rows(sandbox: RunningSandbox, provider: Provider):
    partner = await provider.linked()
    made = await provider.put(partner=partner, count_code="CRM-7", title="Prvi", product_list=[line(), line(MATERIAL)])
    before = await provider.document("sales_offer", made["mk_id"], show_product_detail="true")

    body = await provider.draft(partner=partner, mk_id=made["mk_id"], count_code="DRUGA", product_list=[line(MATERIAL, price="50")])
    replaced = await provider.done("put_document", **body)
    after = await provider.document("sales_offer", made["mk_id"], show_product_detail="true")

    assert (replaced["mk_id"], replaced["count_code"], replaced["total_price"]) == (made["mk_id"], "CRM-7", "61.00")
    assert [one["code"] for one in lines_of(after)] == [MATERIAL]
    assert not {one["mk_row_id"] for one in lines_of(after)} & {one["mk_row_id"] for one in lines_of(before)}
    assert "title" not in after
    assert [one["effect"] for one in await sandbox.effects(object="sales_offer")] == ["created", "changed"]


async def test_what_was_read_can_be_put_back_but_for_the_status(provider: Provider):
    seeded = await provider.document("sales_offer", document_id("sales_offer", 4), show_tax_factor="true")

    refused = await provider.refused("put_document", **seeded)
    replaced = await provider.done("put_document", **(seeded | {"status_code": seeded["status_desc"]}))
    after = await provider.document("sales_offer", replaced["mk_id"], show_tax_factor="true")

    assert "status_code" in refused[1]
    ignored = {"opr_time_ms", "last_change_user"}
    assert {name: one for name, one in after.items() if name not in ignored} == {k: v for k, v in seeded.items() if k not in ignored}


async def test_warehouse_and_delivery_type_are_accepted_silently(provider: Provider):
    made = await provider.put("sales_order", warehouse="LUNA", delivery_type="Zmaj", customer_order="NK-1", buyer_order="NK-2")
    order = await provider.document("sales_order", made["mk_id"])
    kept = await provider.put("sales_order", warehouse="MB", delivery_type="Dostava")

    assert order["warehouse"] == "GL"
    assert not {"delivery_type", "customer_order"} & set(order)
    assert order["buyer_order"] == "NK-2"
    kept_order = await provider.document("sales_order", kept["mk_id"])
    assert (kept_order["warehouse"], kept_order["delivery_type"]) == ("MB", "Dostava")


async def test_status_is_a_pair_of_text_and_key(provider: Provider):
    made = await provider.put(status_code="accepted")
    offer = await provider.document("sales_offer", made["mk_id"])

    assert (offer["status_code"], offer["status_desc"]) == ("Potrjena", "accepted")


async def test_a_document_is_read_by_doc_id_and_an_order_by_the_buyers_reference(provider: Provider):
    offer = await provider.put()
    order = await provider.put("sales_order", buyer_order="CRM-55")

    assert (await provider.refused("get_document", doc_type="sales_offer", mk_id=offer["mk_id"]))[0] == "2"
    assert (await provider.done("get_document", doc_type="sales_order", buyer_order="CRM-55"))["mk_id"] == order["mk_id"]
    missing = await provider.refused("get_document", doc_type="sales_order", doc_id="1")
    assert missing == ("2", "Cannot find document type sales_order with id = 1")
    assert (await provider.refused("get_document", doc_type="sales_order", doc_id=offer["mk_id"]))[0] == "2"


async def test_flags_add_payments_the_change_log_rows_and_factors(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-01-15T09:00:00Z", scale=0)
    paid = {"payment_type": "Transakcijski račun", "date": "05.03.2026", "amount": "22.50"}
    made = await provider.put("sales_bill_domestic", mark_paid=[paid])
    plain = await provider.document("sales_bill_domestic", made["mk_id"])
    flags = ("show_payment_detail", "show_last_payment_date", "show_tax_factor", "show_product_detail", "return_document_info")
    full = await provider.document("sales_bill_domestic", made["mk_id"], **dict.fromkeys(flags, "true"))

    assert not {"mark_paid", "document_info", "last_paid_date"} & set(plain)
    assert not {"tax_factor", "mk_row_id"} & set(lines_of(plain)[0])
    assert {"tax_factor", "tax_desc", "mk_row_id", "type"} <= set(lines_of(full)[0])
    assert full["mark_paid"] == [{"payment_type": "Transakcijski račun", "date": "05.03.2026", "amount": "22.5"}]
    assert (full["last_paid_date"], full["last_paid_sum"], full["sum_paid"]) == ("05.03.2026", "22.5", "22.5")
    assert [(one["operation_type"], one["operation_time"]) for one in full["document_info"]] == [("NEW", "2026-01-15T10:00:00+02:00")]


async def test_payments_survive_a_replace_unless_others_are_sent(provider: Provider):
    partner = await provider.linked()
    paid = {"payment_type": "PayPal", "date": "05.03.2026", "amount": "10"}
    made = await provider.put("sales_bill_domestic", partner=partner, mark_paid=[paid])
    sums = []
    for mark_paid in (None, [], [paid | {"amount": "4"}], [paid | {"amount": "0.00"}]):
        more = {} if mark_paid is None else {"mark_paid": mark_paid}
        await provider.put("sales_bill_domestic", partner=partner, mk_id=made["mk_id"], **more)
        sums.append((await provider.document("sales_bill_domestic", made["mk_id"])).get("sum_paid"))

    assert sums == ["10", "10", "4", None]


async def test_sums_follow_discounts_of_lines_and_of_the_document(provider: Provider):
    chained = await provider.put(product_list=[line(amount="2", price="50", discount="10;20")])
    whole = await provider.put(product_list=[line(price="100")], discount_percent="5")
    value = await provider.put(product_list=[line(price="100")], discount_value="10")
    gross = await provider.put(product_list=[line(price="") | {"price_with_tax": "122"}])
    comma = await provider.put(product_list=[line(price="19,99")])
    service_back = await provider.put(product_list=[line(), line(amount="-1", price="30")])

    totals = [one["total_price"] for one in (chained, whole, value, gross, comma, service_back)]
    assert totals == ["87.84", "115.90", "109.80", "122.00", "24.39", "85.40"]
    document = await provider.document("sales_offer", whole["mk_id"])
    assert (document["sum_basic"], document["sum_discount"]) == ("95", "5")


async def test_several_rates_have_a_sum_each(provider: Provider):
    made = await provider.put(product_list=[line(), line(MATERIAL, tax_factor="0.095"), line(tax_factor="0")])
    document = await provider.document("sales_offer", made["mk_id"])

    assert (document["sum_tax_ex4"], document["sum_tax_095"], document["sum_all"]) == ("22", "9.5", "331.5")


async def test_an_order_of_an_offer_is_linked_with_it_and_leaves_it_as_it_was(sandbox: RunningSandbox, provider: Provider):
    offer = await provider.put(count_code="CRM-Q-9")
    before = await provider.document("sales_offer", offer["mk_id"])
    order = await provider.put("sales_order", offer_list={"count_code": "CRM-Q-9"}, buyer_order="CRM-9")
    after = await provider.document("sales_offer", offer["mk_id"])
    shown = await provider.document("sales_order", order["mk_id"])

    assert shown["doc_link_list"] == [{"mk_id": offer["mk_id"], "count_code": "CRM-Q-9", "doc_type": "sales_offer"}]
    assert after["doc_link_list"] == [{"mk_id": order["mk_id"], "count_code": order["count_code"], "doc_type": "sales_order"}]
    assert [one["effect"] for one in await sandbox.effects(object="sales_offer")] == ["created"]
    assert lines_of(after) == lines_of(before)


async def test_an_invoice_can_come_with_an_order(provider: Provider):
    made = await provider.put("sales_order", create_invoice="true")
    (attached,) = made["attachment_list"]
    bill = await provider.document("sales_bill_domestic", attached["bill_mk_id"])

    assert bill["sum_all"] == "122"


@pytest.mark.parametrize("doc_type", ["purchase_order", "warehouse_packing_list", "workorder", "sales_bill_retail"])
async def test_other_types_are_put_and_read(provider: Provider, doc_type: str):
    made = await provider.put(doc_type)

    assert (await provider.document(doc_type, made["mk_id"]))["doc_type"] == doc_type


async def test_single_lines_are_objects_unless_that_is_switched_off(sandbox: RunningSandbox, provider: Provider):
    made = await provider.put()
    shapes = []
    for switch in ("documented", "none", "all"):
        await sandbox.settings(single_lists_as_objects=switch)
        document = await provider.document("sales_offer", made["mk_id"], return_document_info="true")
        shapes.append((type(document["product_list"]), type(document["document_info"])))

    assert shapes == [(dict, list), (list, list), (dict, dict)]
    assert isinstance((await provider.done("get_partner", partner_id=partner_id(0)))["partner_list"], dict)


async def test_decimals_can_be_written_with_a_comma(sandbox: RunningSandbox, provider: Provider):
    made = await provider.put(product_list=[line(amount="7.3", price="1895.01")])
    await sandbox.settings(comma_decimals=True)
    document = await provider.document("sales_offer", made["mk_id"])

    assert (lines_of(document)[0]["amount"], lines_of(document)[0]["price"]) == ("7,3", "1.895,01")
    assert document["sum_basic"] == "13.833,57"
