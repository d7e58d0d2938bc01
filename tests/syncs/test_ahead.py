"""What is translated while the page before is written, and of which object it counts."""

from collections.abc import AsyncIterator

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.base import Item, Page
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import transaction
from app.syncs.ahead import Ahead, translated_ahead
from app.syncs.sources import Source
from tests.two_way.office import Office


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: RunningSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


async def _source(office: Office) -> Source:
    hub, scope = office.hub, office.operator.scope
    connector = hub.connectors["metakocka"]
    async with hub.connections.open_session(scope, office.connection.id, priority="bulk") as session:
        return await hub.walker.source(scope, office.connection.id, connector, connector.streams["partners"], session, None)


async def _ahead(source: Source, *items: Item) -> Ahead:
    async def pages() -> AsyncIterator[Page]:
        yield Page(state={}, items=items)

    ((_, ahead),) = [pair async for pair in translated_ahead(source, pages())]
    return ahead


async def _written(office: Office, source: Source, item: Item, ahead: Ahead) -> str:
    """The record's name once the item is written."""
    async with transaction(source.scope):
        await office.hub.walker.pages.write(source, Page(state={}, items=[item]), ahead)
    return str((await office.record(item.external_id)).data["name"])


def _partner(name: str) -> Item:
    return Item("7001", b'{"mk_id":"7001","customer":"%s"}' % name.encode())


async def test_a_translation_counts_for_the_very_object_that_it_was_made_of(office: Office):
    source, read_first, read_later = await _source(office), _partner("First"), _partner("Later")

    ahead = await _ahead(source, read_first)

    assert await _written(office, source, read_later, ahead) == "Later"


async def test_what_is_mapped_by_the_time_its_page_is_written_is_merged_as_ever(office: Office):
    source, before, after = await _source(office), _partner("Before"), _partner("After")
    ahead = await _ahead(source, after)
    await _written(office, source, before, {})
    record = await office.record("7001")
    await office.edit(record, email="hub@acme.test")

    assert await _written(office, source, after, ahead) == "After"
    assert (await office.record("7001")).data["email"] == "hub@acme.test"


async def test_what_cannot_be_translated_is_left_to_the_page_which_says_why(office: Office):
    source, good, nameless, broken = await _source(office), _partner("Good"), Item("7003", _partner("").payload), Item("7002", b'{"mk_id":')

    ahead = await _ahead(source, good, nameless, broken, Item("7004", b"{}", deleted=True))
    async with transaction(source.scope):
        counts = await office.hub.walker.write(source, Page(state={}, items=[good, nameless, broken]))

    assert list(ahead) == ["7001"]
    assert (counts.created, counts.failed) == (1, 2)
