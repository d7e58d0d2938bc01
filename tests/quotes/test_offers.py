"""Metakocka's offers are quotes: shown at the prices that the client pays, decided, and carried out as orders."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.metakocka.document_bodies import mark_of
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.deliveries.models import DeliveryStatus
from app.paging import PageRequest
from app.quotes.models import Quote, QuoteStatus
from app.quotes.refusals import QuoteExpired
from app.quotes.service import QuoteNotFound
from tests import factories
from tests.connectors.metakocka.company import add_document, add_offer, settings_of


@dataclass
class Trade:
    """An organization whose Metakocka has one offer."""

    hub: Hub
    operator: Actor
    mk: RunningSandbox
    connection: Connection
    offer: dict[str, Any]

    async def sync(self) -> Any:
        return await factories.sync(self.hub, self.operator, self.connection)

    async def quote(self) -> Quote:
        (quote,) = (await self.hub.quotes.quotes(self.operator, PageRequest())).items
        return await self.hub.quotes.quote(self.operator, quote.id)

    async def deliver(self) -> DeliveryStatus:
        delivery = (await self.quote()).delivery
        assert delivery is not None
        await self.hub.deliveries.deliver(self.operator.organization_id, delivery.id)
        done = (await self.quote()).delivery
        assert done is not None
        return done.status

    async def approve(self, quote: Quote, lines: list[int] | None = None) -> Any:
        return await self.hub.quotes.approve(
            self.operator,
            quote.id,
            version=quote.version,
            lines=None if lines is None else [quote.lines[place].id for place in lines],
            signature_name="Ana Žagar",
            accept_terms=True,
            idempotency_key=factories.key(),
        )


@pytest.fixture
async def trade(hub: Hub, owner: Actor, metakocka: RunningSandbox) -> Trade:
    operator = factories.colleague(owner, Role.OPERATOR)
    given = settings_of(metakocka)
    connection = await hub.connections.create(
        operator,
        provider="metakocka",
        name=f"Metakocka {secrets.token_hex(3)}",
        mode="sandbox",
        settings={name: value for name, value in given.items() if name != "secret_key"},
        credentials={"secret_key": given["secret_key"]},
        idempotency_key=factories.key(),
    )
    result = await hub.connections.test(operator, connection.id)
    assert result.ok, result.message
    offer = await add_offer(metakocka, discount_percent="10")
    trade = Trade(hub, operator, metakocka, connection, offer)
    run = await trade.sync()
    assert run.status == "completed", run.error_message
    return trade


async def test_an_offer_is_a_quote_at_the_prices_that_the_client_pays(trade: Trade):
    quote = await trade.quote()

    assert (quote.status, quote.number, quote.title, quote.currency) == (
        QuoteStatus.OPEN,
        trade.offer["count_code"],
        "Prenova kopalnice",
        "EUR",
    )
    assert quote.contact_name == trade.offer["partner"]["customer"]
    assert [(line.quantity, line.unit_price, line.tax_rate) for line in quote.lines] == [
        (Decimal(2), Decimal(90), Decimal(22)),
        (Decimal("1.5"), Decimal("32.805"), Decimal(22)),
        (Decimal(3), Decimal("6.3"), Decimal("9.5")),
    ]
    assert quote.lines[0].description.endswith(" – Montaža ž")
    assert f"{quote.total:f}" == trade.offer["sum_all"]


async def test_orders_and_bills_are_no_quotes(trade: Trade):
    await add_document(trade.mk, "sales_order", status="quote")  # a company may call a status so
    await add_document(trade.mk, "sales_bill_domestic", service_to_date="2026-03-01")
    await trade.sync()

    assert len((await trade.hub.quotes.quotes(trade.operator, PageRequest())).items) == 1


async def test_an_approval_of_a_part_arrives_as_an_order_of_that_part(trade: Trade):
    quote = await trade.quote()
    decision = await trade.approve(quote, [0, 2])
    status = await trade.deliver()
    await trade.sync()

    orders = [await trade.mk.document("sales_order", one["mk_id"]) for one in await trade.mk.documents("sales_order")]
    assert status is DeliveryStatus.CONFIRMED
    assert [(order["buyer_order"], len(order["product_list"])) for order in orders] == [(mark_of(str(decision.id)), 2)]
    after = await trade.quote()
    assert (after.status, after.provider_status, after.decision and after.decision.id) == (
        QuoteStatus.PARTIALLY_APPROVED,
        "accepted",
        decision.id,
    )


async def test_an_offer_that_staff_decide_in_metakocka_is_withdrawn(trade: Trade):
    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], status="rejected")
    await trade.sync()

    quote = await trade.quote()
    assert (quote.status, quote.provider_status) == (QuoteStatus.WITHDRAWN, "rejected")


async def test_a_decision_on_an_offer_that_changed_meanwhile_opens_it_again_with_what_is_there(trade: Trade):
    quote = await trade.quote()
    await trade.approve(quote)
    kept = ("code", "amount", "price", "discount", "doc_desc", "tax", "tax_factor")
    lines = [{name: line[name] for name in kept if name in line} for line in trade.offer["product_list"]]
    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], product_list=[{**lines[0], "amount": "5"}, *lines[1:]])
    status = await trade.deliver()

    reopened = await trade.quote()
    assert status is DeliveryStatus.NOT_APPLIED
    assert (reopened.status, reopened.version) == (QuoteStatus.OPEN, 2)
    assert [line.quantity for line in reopened.lines] == [5, Decimal("1.5"), 3]
    assert await trade.mk.ledger() == []
    await trade.sync()
    assert (await trade.quote()).version == 2  # what the connector found is what the sync brings


async def test_a_decision_that_a_sync_overtook_is_not_applied_either(trade: Trade):
    quote = await trade.quote()
    await trade.approve(quote)
    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], title="Druga prenova")
    await trade.sync()

    assert await trade.deliver() is DeliveryStatus.NOT_APPLIED
    assert (await trade.quote()).title == "Druga prenova"


async def test_an_offer_with_a_discount_in_money_is_told_and_not_shown(trade: Trade):
    offer = await add_offer(trade.mk, discount_value="10")
    run = await trade.sync()

    assert run.status == "partially_completed"
    assert len((await trade.hub.quotes.quotes(trade.operator, PageRequest())).items) == 1
    again = await trade.sync()
    (failed,) = (await trade.hub.failed_records.failed_records(trade.operator, PageRequest())).items
    assert (again.status, failed.external_id, failed.stage, failed.sync_run_id) == (
        "partially_completed",
        offer["mk_id"],
        "project",
        again.id,
    )
    await trade.mk.edit_document("sales_offer", offer["mk_id"], discount_value="")
    well = await trade.sync()
    assert well.status == "completed"
    assert len((await trade.hub.quotes.quotes(trade.operator, PageRequest())).items) == 2
    assert (await trade.hub.failed_records.failed_records(trade.operator, PageRequest())).items == []


async def test_another_organization_sees_no_offer(trade: Trade):
    quote, stranger = await trade.quote(), await factories.make_organization(trade.hub)
    with pytest.raises(QuoteNotFound):
        await trade.hub.quotes.quote(stranger, quote.id)


LAST_SECOND = datetime(2099, 12, 31, 22, 59, 59, tzinfo=UTC)
"""Of 2099 in Ljubljana."""


async def test_an_offer_can_be_decided_until_the_end_of_its_last_valid_day(trade: Trade):
    offered = (await trade.quote()).valid_until

    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], valid_to="2026-01-31")
    await trade.sync()
    over = await trade.quote()
    with pytest.raises(QuoteExpired):
        await trade.approve(over)
    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], valid_to="2099-12-30")
    await trade.sync()
    again = await trade.quote()

    assert offered == LAST_SECOND
    assert (over.status, over.version) == (QuoteStatus.EXPIRED, 1)
    assert (again.status, again.version, again.valid_until) == (QuoteStatus.OPEN, 1, LAST_SECOND - timedelta(days=1))


async def test_an_end_that_was_set_here_stays_until_the_provider_says_another(trade: Trade):
    quote, ours = await trade.quote(), datetime(2098, 1, 1, tzinfo=UTC)
    await trade.hub.quotes.set_validity(trade.operator, quote.id, valid_until=ours)

    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], title="Druga prenova")
    await trade.sync()
    kept = await trade.quote()
    await trade.mk.edit_document("sales_offer", trade.offer["mk_id"], valid_to="")
    await trade.sync()

    assert (kept.title, kept.valid_until) == ("Druga prenova", ours)
    assert (await trade.quote()).valid_until is None
