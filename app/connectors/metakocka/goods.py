"""Products, and their stock in each warehouse.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/product_list.md
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import groupby

import msgspec

from app.connectors.base import Item, Reading, Session
from app.connectors.metakocka import listing
from app.connectors.metakocka.assembling import decode_object
from app.connectors.metakocka.cutting import Row
from app.connectors.metakocka.values import number_of, number_text
from app.connectors.metakocka.walks import Progress, Window, stretches

Items = Callable[[Session, Sequence[Row]], list[Item]]
AMOUNTS = ("amount", "reserved_amount", "free_amount")


def product_items(session: Session, rows: Sequence[Row]) -> list[Item]:
    return [Item(row.id, row.payload) for row in rows]


def stock_items(session: Session, rows: Sequence[Row]) -> list[Item]:
    """One item for a product in a warehouse; the rows of its lots and serial numbers, which come together, are added up."""
    return [Item(place, _added_up([row.payload for row in group])) for place, group in groupby(rows, key=lambda row: row.id)]


async def find_product(session: Session, mk_id: str) -> Reading | None:
    """A product by going through all: no filter by mk_id is documented. Raises ConnectorError."""
    return await _look_through(session, listing.products, product_items, mk_id)


async def find_stock(session: Session, place: str) -> Reading | None:
    """A product's stock in a warehouse, by going through all. Raises ConnectorError."""
    return await _look_through(session, listing.stock, stock_items, place)


async def _look_through(session: Session, fetch: listing.List, items: Items, wanted: str) -> Reading | None:
    async def window(offset: int, limit: int) -> Window:
        return await fetch(session, "all", offset, limit, {})

    async for stretch in stretches(window, session.settings.page_size, Progress(phase="all")):
        for item in items(session, [row for row in stretch.rows if row.id == wanted]):
            return Reading(item)
    return None


def _added_up(payloads: Sequence[bytes]) -> bytes:
    if len(payloads) == 1:
        return payloads[0]
    rows = [decode_object(payload) for payload in payloads]
    sums = {
        name: number_text(sum((number_of(row.get(name)) or Decimal(0) for row in rows), Decimal(0)))
        for name in AMOUNTS
        if any(name in row for row in rows)
    }
    return msgspec.json.encode({**rows[0], **sums})
