"""Both walls around quotes, as the database keeps them: between organizations, and between clients of one."""

import pytest

from app.actors import Actor, ActorKind, Role, Scope
from app.database import fetch_value
from app.errors import PermissionDenied
from app.ids import new_id
from app.paging import PageRequest
from app.quotes.service import DecisionNotFound, QuoteNotFound
from tests import factories
from tests.quotes.world import World

TABLES = ("quote", "quote_line", "quote_version", "quote_decision", "delivery", "event", "audit_entry", "idempotency_key")


async def _seen(scope: Scope, table: str) -> int:
    """Rows that the scope reaches, without naming the organization: only the wall holds."""
    return await fetch_value(scope, f"SELECT count(*) FROM {table}")


@pytest.mark.requirement("SM8-87")
async def test_a_client_s_contact_reaches_its_own_rows_and_others_reach_none(world: World):
    await world.approve()
    await world.deliver()

    for table in TABLES:
        assert await _seen(world.contact.scope, table) > 0, table
        assert await _seen(Scope(world.operator.organization_id, new_id()), table) == 0, table
        assert await _seen(Scope(new_id()), table) == 0, table


async def test_everything_that_a_client_does_works_within_its_walls(world: World):
    quotes = world.hub.quotes
    (listed,) = (await quotes.quotes(world.contact, PageRequest())).items
    quote = await world.quote()
    totals = await quotes.totals(world.contact, quote.id, [quote.lines[0].id])
    decision = await world.approve(lines=[quote.lines[0].id])
    receipt = await quotes.receipt(world.contact, decision.id)

    assert (listed.id, totals.chosen, totals.of) == (quote.id, 1, 3)
    assert totals.total == decision.approved_total
    assert (receipt.decision, receipt.organization_name, receipt.delivery.status) == (decision, "Brightwater Electrical", "queued")
    assert (await world.hub.deliveries.deliveries(world.contact, PageRequest())).items == [receipt.delivery]
    assert (await quotes.decisions_of(world.contact, [quote.id]))[quote.id] == [decision]


async def test_another_organization_finds_nothing(world: World):
    decision = await world.approve()
    stranger = await factories.make_organization(world.hub)

    with pytest.raises(QuoteNotFound):
        await world.quote(stranger)
    with pytest.raises(QuoteNotFound):
        await world.approve(stranger, version=1)
    with pytest.raises(DecisionNotFound):
        await world.hub.quotes.receipt(stranger, decision.id)


async def test_a_viewer_sees_quotes_but_does_not_decide_them(world: World):
    viewer = factories.colleague(world.operator, Role.VIEWER)

    assert (await world.quote(viewer)).id == world.quote_id
    with pytest.raises(PermissionDenied):
        await world.approve(viewer)


async def test_a_contact_neither_sets_validity_nor_sends_again(world: World):
    await world.approve()

    with pytest.raises(PermissionDenied):
        await world.hub.quotes.set_validity(world.contact, world.quote_id, valid_until=None)
    with pytest.raises(PermissionDenied):
        await world.hub.deliveries.retry(world.contact, (await world.delivery()).id)


async def test_staff_may_decide_for_a_client_and_the_decision_says_who_it_was(world: World):
    staff = Actor(world.operator.scope, ActorKind.PERSON, Role.OPERATOR, "Oscar Operator", new_id())

    decision = await world.approve(staff, signature_name="Carla Client, by phone")

    assert (await world.quote()).decision == decision
    assert (decision.decided_by["name"], decision.decided_by["kind"]) == ("Oscar Operator", "person")


@pytest.mark.requirement("SM8-50", "SM8-78")
async def test_a_decision_and_its_way_are_in_the_audit_log(world: World):
    await world.approve(note="As agreed")
    await world.deliver()

    quote_entries = (await world.hub.audit.entries(world.operator, PageRequest(), subject_id=world.quote_id)).items
    delivery_entries = (await world.hub.audit.entries(world.operator, PageRequest(), subject_id=(await world.delivery()).id)).items

    (entry,) = quote_entries
    assert (entry.event, entry.actor["name"], entry.ip, entry.user_agent) == ("quote.approved", "Carla Client", "198.51.100.7", "A browser")
    assert (entry.data["note"], entry.data["approved_total"], len(entry.data["approved"])) == ("As agreed", "2007.49", 3)
    assert [entry.event for entry in delivery_entries] == ["delivery.confirmed"]
    assert (await world.hub.audit.verify(world.operator.organization_id)).ok


async def test_a_refused_decision_leaves_nothing_behind(world: World):
    await world.approve()
    before = [await _seen(world.operator.scope, table) for table in TABLES]

    with pytest.raises(Exception, match="already been decided"):
        await world.reject()

    assert [await _seen(world.operator.scope, table) for table in TABLES] == before
