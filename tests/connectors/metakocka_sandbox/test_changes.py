"""`update_document`, `change_document_status`, `delete_document`, `put_transaction`, `add_attachment`, products and stock."""

import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox, document_id

from .provider import MATERIAL, Provider, Values, line, lines_of, listed


async def test_single_fields_of_an_order_change_and_the_rest_stays(provider: Provider):
    made = await provider.put("sales_order", buyer_order="CRM-1", notes="Prej", notes_header="Glava")
    await provider.done(
        "update_document", doc_type="sales_order", buyer_order="CRM-1", status_code="confirmed", tracking_code="SI123",
        shipped_date="02.03.2026", warehouse="MB", clear=["notes"], count_code_new="PN-NOVA", title="Ni med polji",
    )  # fmt: skip
    order = await provider.document("sales_order", made["mk_id"])

    assert (order["status_desc"], order["tracking_code"], order["shipped_date"]) == ("confirmed", "SI123", "2026-03-02+02:00")
    assert (order["warehouse"], order["count_code"], order["notes_header"]) == ("MB", "PN-NOVA", "Glava")
    assert not {"notes", "title"} & set(order)


async def test_lines_of_an_order_are_added_removed_and_changed_by_their_rows(provider: Provider):
    made = await provider.put("sales_order", product_list=[line(), line(MATERIAL), line(MATERIAL, amount="9")])
    first, second, third = lines_of(await provider.document("sales_order", made["mk_id"], show_product_detail="true"))

    async def update(**body: object) -> list[Values]:
        await provider.done("update_document", doc_type="sales_order", mk_id=made["mk_id"], **body)
        return lines_of(await provider.document("sales_order", made["mk_id"], show_product_detail="true"))

    changed = await update(product_list=[{"mk_row_id": second["mk_row_id"], "amount": "4", "price_with_tax": "61"}])
    marked = await update(product_list={"mk_row_id": first["mk_row_id"], "mark_delete": "true"})
    final = await update(product_remove=[{"mk_row_id": third["mk_row_id"]}], product_add=[line(price="7")])

    assert (changed[1]["amount"], changed[1]["price_with_tax"], changed[1]["mk_row_id"]) == ("4", "61", second["mk_row_id"])
    assert "price" not in changed[1]
    assert [one["mk_row_id"] for one in marked] == [second["mk_row_id"], third["mk_row_id"]]
    assert [one["amount"] for one in final] == ["4", "1"]
    unknown = await provider.refused("update_document", doc_type="sales_order", mk_id=made["mk_id"], product_remove=[{"mk_row_id": "1"}])
    assert unknown[0] == "2"


async def test_a_bill_changes_its_status_alone_and_an_empty_one_clears_it(provider: Provider):
    made = await provider.put("sales_bill_domestic")
    await provider.done("update_document", doc_type="sales_bill_domestic", count_code=made["count_code"], status_code="checked", notes="X")
    checked = await provider.document("sales_bill_domestic", made["mk_id"])
    await provider.done("update_document", doc_type="sales_bill_domestic", mk_id=made["mk_id"], status_code="")
    cleared = await provider.document("sales_bill_domestic", made["mk_id"])

    assert (checked["status_code"], checked["status_desc"]) == ("Pregledan", "checked")
    assert "notes" not in checked
    assert not {"status_code", "status_desc"} & set(cleared)


async def test_an_offer_takes_no_update_status_call_or_delete(sandbox: RunningSandbox, provider: Provider):
    offer = document_id("sales_offer", 0)

    for call in ("update_document", "change_document_status", "delete_document"):
        assert (await provider.refused(call, doc_type="sales_offer", mk_id=offer, status_code="accepted"))[0] == "2"
    assert await sandbox.effects() == []


async def test_the_status_of_several_orders_changes_and_is_logged_once_each(sandbox: RunningSandbox, provider: Provider):
    ids = [(await provider.put("sales_order", buyer_order=f"CRM-{number}"))["mk_id"] for number in range(3)]
    await provider.done("change_document_status", doc_type="sales_order", mk_id_list=",".join(ids[:2]), status_code="shipped")
    await provider.done("change_document_status", doc_type="sales_order", buyer_order="CRM-2", status_code="cancelled")
    wrong = await provider.refused("change_document_status", doc_type="sales_order", mk_id=ids[0], status_code="Odpremljeno")

    orders = [await provider.document("sales_order", mk_id, return_document_info="true") for mk_id in ids]
    assert [one["status_desc"] for one in orders] == ["shipped", "shipped", "cancelled"]
    assert orders[0]["document_info"][-1] | {"operation_time": ""} == {
        "operation_type": "DOCUMENT_STATUS_CHANGE",
        "operation_time": "",
        "user_email": "pisarna@sandbox.test",
        "value_previous": "draft",
        "value_new": "shipped",
    }
    assert wrong[0] == "2"


async def test_orders_and_stock_documents_can_be_deleted_and_are_then_absent(sandbox: RunningSandbox, provider: Provider):
    for doc_type in ("sales_order", "warehouse_packing_list"):
        made = await provider.put(doc_type)
        await provider.done("delete_document", doc_type=doc_type, mk_id=made["mk_id"])

        assert (await provider.refused("get_document", doc_type=doc_type, doc_id=made["mk_id"]))[0] == "2"
        assert (await provider.refused("delete_document", doc_type=doc_type, mk_id=made["mk_id"]))[0] == "2"
        assert [one["effect"] for one in await sandbox.effects(object=doc_type)] == ["created", "deleted"]
    assert await provider.refused("delete_document", mk_id="1") == ("1", "Internal server error.")


async def test_payments_add_up_and_a_bill_without_one_has_no_sum_of_them(provider: Provider):
    made = await provider.put("sales_bill_domestic")
    keys = {"doc_type": "bill", "mk_id": made["mk_id"], "date": "2026-03-08+02:00", "payment_type": "Transakcijski račun"}
    before = await provider.document("sales_bill_domestic", made["mk_id"])
    for price in ("100", "30"):
        await provider.done("put_transaction", **keys, price=price)
    await provider.done("put_transaction", **keys, price="8", payment_mode="return")
    after = await provider.document("sales_bill_domestic", made["mk_id"], show_last_payment_date="true")

    assert "sum_paid" not in before
    assert (after["sum_paid"], after["sum_full_paid_when"]) == ("122", "2026-03-08+02:00")


async def test_a_wrong_payment_type_lists_the_valid_ones_and_pays_nothing(sandbox: RunningSandbox, provider: Provider):
    keys = {"doc_type": "sales_order", "buyer_order": "NAR-00001", "date": "08.03.2026", "price": "1"}
    wrong = await provider.refused("put_transaction", **keys, payment_type="Školjke")
    cash = await provider.refused("put_transaction", **keys, payment_type="Gotovina")
    await sandbox.settings(fiscal_registers=True)
    await provider.done("put_transaction", **keys, payment_type="Gotovina")

    assert wrong[0] == "2"
    assert wrong[1].endswith("Valid values : Transakcijski račun,Gotovina,Kartica,PayPal")
    assert cash[0] == "6"
    assert len(await sandbox.effects(operation="put_transaction")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [({"doc_type": "warehouse_packing_list"}, "2"), ({"mk_id": "1"}, "2"), ({"mk_id": ""}, "2"), ({"date": "8.3.2026"}, "6"),
     ({"price": "x"}, "2"), ({"payment_mode": "gift"}, "2"), ({"notes": "n" * 101}, "2"), ({"doc_type": "bill", "mk_id": "1"}, "2")],
)  # fmt: skip
async def test_payments_that_are_refused(provider: Provider, change: Values, code: str):
    keys = {"doc_type": "sales_offer", "mk_id": document_id("sales_offer", 0), "date": "08.03.2026", "price": "1"}

    assert (await provider.refused("put_transaction", **(keys | change)))[0] == code


async def test_an_attachment_needs_a_name(provider: Provider):
    made = await provider.put()
    keys = {"doc_type": "sales_offer", "mk_id": made["mk_id"]}
    refused = await provider.refused("add_attachment", **keys, attachment_list=[{"data_b64": "QQ=="}])
    await provider.done("add_attachment", **keys, attachment_list=[{"file_name": "ponudba.pdf", "data_b64": "QQ=="}])

    assert refused == ("6", "file_name is required")
    shown = await provider.document("sales_offer", made["mk_id"])
    assert shown["attachment_list"] == [{"file_name": "ponudba.pdf"}]


async def test_products_come_in_windows_with_the_request_at_the_top(provider: Provider):
    window = await provider.done("product_list", sales="true", limit="250")
    rest = await provider.done("product_list", sales="true", limit="250", offset="250")
    one = await provider.done("product_list", code=MATERIAL, return_warehause_stock="true", return_pricelist="true")
    services = await provider.done("product_list", service="true")

    assert (window["sales"], window["limit"], window["offset"], window["product_list_count"]) == ("true", "250", "0", "250")
    assert (rest["product_list_count"], rest["offset"]) == ("50", "250")
    product = one["product_list"]
    assert {"mk_id", "count_code", "code", "name", "unit", "service", "sales", "purchasing", "activated"} <= set(product)
    assert [detail["warehouse_mark"] for detail in product["amount_detail"]] == ["GL", "MB"]
    assert int(product["amount"]) == sum(int(detail["amount"]) for detail in product["amount_detail"])
    assert product["pricelist"][0]["price_def"]["price"]
    assert services["product_list_count"] == "60"


async def test_products_are_added_changed_and_deleted(sandbox: RunningSandbox, provider: Provider):
    made = await provider.done("product_add", code="NOV", name="Nov artikel", unit="kos", name_desc="Opis")
    twice = await provider.refused("product_add", code="NOV", name="Nov artikel", unit="kos")
    await provider.done("product_update", code="NOV", name="Preimenovan", name_desc="$REMOVE_STRING_VALUE$", unit="")
    shown = (await provider.done("product_list", code="NOV"))["product_list"]
    await provider.done("product_delete", mk_id=made["mk_id"])

    assert twice[0] == "2"
    assert (shown["name"], shown["unit"], "name_desc" in shown) == ("Preimenovan", "kos", False)
    assert (await provider.done("product_list", code="NOV"))["product_list_count"] == "0"
    assert [one["effect"] for one in await sandbox.effects(object="product")] == ["created", "changed", "deleted"]
    for missing in ({"code": "X", "name": "X"}, {"code": "X" * 21, "name": "X", "unit": "kos"}):
        assert (await provider.refused("product_add", **missing))[0] == "2"


async def test_orders_reserve_stock_and_do_not_lower_it(provider: Provider):
    product = (await provider.done("product_list", code=MATERIAL))["product_list"]

    async def stock() -> list[Values]:
        return listed((await provider.done("warehouse_stock", product_mk_id_list=product["mk_id"])).get("stock_list"))

    before = await stock()
    order = await provider.put("sales_order", product_list=[line(MATERIAL, amount="3")])
    reserved = await stock()
    await provider.done("change_document_status", doc_type="sales_order", mk_id=order["mk_id"], status_code="cancelled")

    assert len(before) == 2
    assert [one["amount"] for one in reserved] == [one["amount"] for one in before]
    assert (reserved[0]["reserved_amount"], "reserved_amount" in reserved[1]) == ("3", False)
    assert int(reserved[0]["free_amount"]) == int(before[0]["amount"]) - 3
    assert await stock() == before


async def test_there_are_two_warehouses(provider: Provider):
    reply = await provider.done("warehouse_list", limit="1")

    assert reply["warehouse_list_count"] == "2"
    assert [one["mark"] for one in reply["warehouse_list"]] == ["GL", "MB"]
    stock = await provider.done("warehouse_stock", wh_id_list=reply["warehouse_list"][1]["mk_id"], limit="10")
    assert {one["warehouse_id"] for one in stock["stock_list"]} == {reply["warehouse_list"][1]["mk_id"]}
