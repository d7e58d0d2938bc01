"""Paths, methods, keys and addresses."""

import httpx
import pytest

from app.connectors.metakocka.sandbox.testing import RunningSandbox

from .provider import JSON, MAIN, OLD, Provider

CALLS = {
    MAIN: ("add_partner", "get_partner", "update_partner", "put_document", "get_document", "update_document", "delete_document", "search",
           "search_query_advance_discovery", "change_document_status", "put_transaction"),
    JSON: ("product_list", "product_add", "product_update", "product_delete", "warehouse_list", "warehouse_stock"),
    OLD: ("add_attachment",),
}  # fmt: skip
EVERY = [(family, name) for family, names in CALLS.items() for name in names]


@pytest.mark.parametrize(("family", "name"), EVERY)
async def test_a_call_is_found_under_its_own_path_alone(http: httpx.AsyncClient, family: str, name: str):
    for other in CALLS:
        answer = await http.post(other + name, json={})
        if other == family:
            assert answer.json()["opr_code"] == "3"
        else:
            assert answer.status_code == 404
            assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["delete_partner", "accept_offer", "no_such_call", ""])
async def test_there_is_no_call_to_delete_a_partner_nor_to_accept_an_offer(provider: Provider, name: str):
    answer = await provider.call(name, mk_id="228000000000")

    assert answer.status_code == 404
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_calls_are_posts(http: httpx.AsyncClient):
    answer = await http.get(f"{MAIN}get_partner")

    assert answer.status_code == 405
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "credentials",
    [{}, {"company_id": "16"}, {"secret_key": "mk-sandbox-secret"}, {"company_id": "16", "secret_key": "wrong"},
     {"company_id": "17", "secret_key": "mk-sandbox-secret"}],
)  # fmt: skip
async def test_a_missing_or_wrong_key_is_code_3_with_http_200(http: httpx.AsyncClient, credentials: dict[str, str]):
    answer = await http.post(f"{MAIN}search", json=credentials | {"doc_type": "sales_order"})

    assert answer.status_code == 200
    assert answer.json()["opr_code"] == "3"
    assert {type(value) for value in answer.json().values()} == {str}


async def test_a_company_may_be_named_by_a_number(http: httpx.AsyncClient):
    answer = await http.post(f"{JSON}warehouse_list", json={"company_id": 16, "secret_key": "mk-sandbox-secret"})

    assert answer.json()["opr_code"] == "0"


async def test_a_call_from_an_address_that_is_not_allowed_is_code_4(http: httpx.AsyncClient):
    fenced = Provider(http, "18", "mk-fenced-secret")

    assert (await fenced.refused("search", doc_type="sales_order"))[0] == "4"


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff\xfe"])
async def test_a_body_that_is_no_object_is_an_internal_error(http: httpx.AsyncClient, body: bytes):
    answer = await http.post(f"{MAIN}search", content=body)

    assert (answer.status_code, answer.json()["opr_code"]) == (200, "1")


async def test_companies_have_their_own_records(provider: Provider, second: Provider):
    made = await provider.partner(customer="Samo prvi d.o.o.")

    assert len(await provider.found(partner_id=made["mk_id"])) == 1
    assert await second.found(partner_id=made["mk_id"]) == []
    assert await second.found(partner_name="Samo prvi") == []


async def test_the_quota_of_a_minute_is_code_5_and_the_next_minute_counts_anew(
    sandbox: RunningSandbox, provider: Provider, second: Provider
):
    await sandbox.set_clock("2026-03-01T10:00:59Z", scale=0)
    await sandbox.settings(quota_per_minute=2)

    codes = [(await provider.call("warehouse_list")).json()["opr_code"] for _ in range(4)]
    other = (await second.call("warehouse_list")).json()["opr_code"]
    await sandbox.set_clock("2026-03-01T10:01:00Z", scale=0)

    assert (codes, other) == (["0", "0", "5", "5"], "0")
    assert (await provider.call("warehouse_list")).json()["opr_code"] == "0"
    assert (await sandbox.counters())["refused"] == {"quota": 2}


async def test_the_calls_of_a_second_can_be_capped(sandbox: RunningSandbox, provider: Provider):
    await sandbox.set_clock("2026-03-01T10:00:00Z", scale=0)
    await sandbox.settings(requests_per_second=3)

    codes = [(await provider.call("warehouse_list")).json()["opr_code"] for _ in range(5)]

    assert codes == ["0", "0", "0", "5", "5"]
    assert (await sandbox.counters())["refused"] == {"second": 2}
