"""What a sandbox starts with, and that it is the same again."""

import httpx

from app.connectors.metakocka.sandbox import CompanyConfig, SandboxConfig, Sizes
from app.connectors.metakocka.sandbox.testing import RunningSandbox, document_id, partner_id, running_sandbox

from .provider import Provider, Values, lines_of, listed, walk


async def test_the_seed_has_partners_of_all_sorts(provider: Provider):
    partners = await walk(provider)
    names = [one.get("customer", "") for one in partners]
    two, without, foreign = partners[0], partners[1], partners[2]

    assert len(partners) == 1200
    assert (len(two["partner_delivery_address_list"]), len(two["partner_contact_list"])) == (2, 2)
    assert "partner_contact_list" not in without
    assert foreign["foreign_county"] == "true"
    assert foreign["partner_delivery_address_list"][0]["country"] not in ("Slovenija", "Slovenia")
    assert all(any(letter in name.lower() for name in names) for letter in "čšž")
    assert sum(any("\u0600" <= letter <= "\u06ff" for letter in name) for name in names) == 1
    assert len(set(names)) < len(names)
    assert {one["business_entity"] for one in partners} == {"true", "false"}
    ids = [one["mk_id"] for partner in partners for one in _entries(partner)]
    assert len(ids) == len(set(ids))


async def test_the_seed_has_offers_orders_and_bills_of_all_sorts(provider: Provider):
    offers = [one for offset in (0, 100) for one in await provider.search("sales_offer", offset=str(offset), result_type="doc")]
    orders = [one for offset in (0, 100) for one in await provider.search("sales_order", offset=str(offset), result_type="doc")]
    domestic = [one for offset in (0, 100) for one in await provider.search("sales_bill_domestic", offset=str(offset), result_type="doc")]
    foreign = await provider.search("sales_bill_foreign", result_type="doc")

    assert (len(offers), len(orders), len(domestic) + len(foreign)) == (150, 200, 150)
    assert {one["status_desc"] for one in offers} == {"open", "sent", "accepted", "rejected"}
    assert {one["currency_code"] for one in offers} == {"EUR", "USD"}
    assert {len(lines_of(one)) for one in offers} == {1, 2, 3, 4, 5}
    assert any("doc_link_list" in one for one in orders)
    assert all(one["partner"]["foreign_county"] == "true" for one in foreign)
    assert any("sum_paid" in one for one in domestic)
    assert any("sum_paid" not in one for one in domestic)


async def test_some_records_are_broken_on_purpose_and_named(sandbox: RunningSandbox, provider: Provider):
    broken = {one["fault"]: one for one in (await sandbox.seeded())["broken"]}
    nameless = await provider.whole(broken["no name"]["mk_id"])
    undated = await provider.document("sales_offer", broken["a date that does not exist"]["mk_id"])
    comma = await provider.document("sales_offer", broken["decimal commas in all numbers"]["mk_id"])

    assert "customer" not in nameless
    assert undated["doc_date"].endswith("-13-45+02:00")
    assert lines_of(comma)[0]["price"] == "1.895,01"


async def test_the_same_seed_makes_the_same_and_another_seed_other_records():
    def config(seed: int) -> SandboxConfig:
        company = CompanyConfig()
        return SandboxConfig(companies=(company,), seed=seed, sizes=Sizes(partners=30, offers=5), clock_now=None, broken_records=False)

    first, again, other = [await _partners_of(config(seed)) for seed in (1, 1, 2)]

    assert first == again
    assert [one["mk_id"] for one in other] == [one["mk_id"] for one in first]
    assert [one["customer"] for one in other] != [one["customer"] for one in first]
    assert all("customer" in one for one in first)


async def test_a_sandbox_may_start_empty_and_fill_up():
    nothing = Sizes(partners=0, offers=0, orders=0, bills=0, products=0)
    async with running_sandbox(SandboxConfig(sizes=nothing), in_thread=True) as sandbox, _client(sandbox) as http:
        provider = Provider(http, sandbox.company_id, sandbox.secret_key)
        assert await provider.found() == []
        assert await provider.search("sales_order") == []
        made = await provider.put(product_list=[{"code": "A", "unit": "kos", "amount": "1", "price": "1", "tax": "EX4"}])
        assert len(await provider.found()) == 1
        assert (await provider.document("sales_offer", made["mk_id"]))["sum_all"] == "1.22"


async def test_ids_are_where_the_helpers_say(provider: Provider):
    assert (await provider.whole(partner_id(11)))["count_code"] == "1011"
    assert (await provider.document("sales_order", document_id("sales_order", 2)))["buyer_order"] == "NAR-00003"


async def _partners_of(config: SandboxConfig) -> list[Values]:
    async with running_sandbox(config, in_thread=True) as sandbox, _client(sandbox) as http:
        return await walk(Provider(http, sandbox.company_id, sandbox.secret_key))


def _client(sandbox: RunningSandbox) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=sandbox.url)


def _entries(partner: Values) -> list[Values]:
    lists = (partner.get(name) for name in ("partner_contact_list", "partner_delivery_address_list"))
    return [partner, *(one for entries in lists for one in listed(entries))]
