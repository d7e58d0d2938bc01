"""Sales documents by where they stand at their connections."""

import pytest

from app.paging import PageRequest
from tests.connectors.metakocka.company import add_document, add_offer
from tests.two_way.office import ALL, Office


async def _titles(office: Office, status: str, **wanted: object) -> list[str]:
    found = await office.hub.records.documents_standing(office.operator, ALL, status, **wanted)
    return [record.data["title"] for record in found.items]


@pytest.fixture
async def offers(office: Office) -> Office:
    """Five offers, of which the second and fourth wait to be sent, and an order that waits as well."""
    partner = await office.sandbox.partner(await office.add("Acme"))
    for number in range(1, 6):
        await add_offer(office.sandbox, partner, title=f"Offer {number}")
    order = await add_document(office.sandbox, "sales_order", partner, title="Order")
    await office.run(streams=("partners", "offers", "orders"))
    found = (await office.hub.records.sales_documents(office.operator, ALL, kind="offer")).items
    for record in found:
        if record.data["title"] in ("Offer 2", "Offer 4"):
            await office.edit(record, notes="Edited here")
    await office.edit(await office.record(order["mk_id"]), notes="Edited here")
    return office


async def test_documents_are_listed_by_their_sync_status_newest_first_and_by_kind_and_connection(offers: Office, office: Office):
    newest_first = [record.data["title"] for record in (await offers.hub.records.sales_documents(offers.operator, ALL)).items]

    waiting, in_step = await _titles(offers, "pending"), await _titles(offers, "synced")

    assert sorted(waiting) == ["Offer 2", "Offer 4", "Order"]
    assert waiting == [title for title in newest_first if title in waiting]
    assert sorted(in_step) == ["Offer 1", "Offer 3", "Offer 5"]
    assert await _titles(offers, "pending", kind="order") == ["Order"]
    assert await _titles(offers, "failed") == []
    elsewhere = await Office.open(office.hub, office.operator, office.sandbox, company_id="17", secret_key="mk-second-secret")
    assert await _titles(offers, "pending", connection_id=elsewhere.connection.id) == []
    assert await offers.hub.counterparts.waiting(offers.operator, offers.connection.id) == {"offers": 2, "orders": 1}


@pytest.mark.parametrize("status", ["pending", "synced"])
async def test_pages_of_them_follow_one_another_without_a_gap(offers: Office, status: str):
    found, after = [], None
    for _ in range(4):
        page = await offers.hub.records.documents_standing(offers.operator, PageRequest(1, after), status)
        found += [record.data["title"] for record in page.items]
        if not page.has_next:
            break
        after = page.cursors[-1]

    assert found == await _titles(offers, status)
