"""Pages of the provider's lists.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/get_partner.md, search_concept.md, product_list.md
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.connectors.answers import Response
from app.connectors.base import Session
from app.connectors.metakocka.calls import decode, path_of
from app.connectors.metakocka.cutting import NOTHING, Head, Row, cut, id_of, place_of
from app.connectors.metakocka.replies import INVALID, Refused
from app.connectors.metakocka.values import Values, number_of, wall_clock
from app.connectors.metakocka.walks import Window

MOST_DOCUMENTS = 100
"""Metakocka's limit for one search."""
FLAGS = {"show_tax_factor": "true", "return_document_info": "true"}
"""Asked with every document, so that a search and get_document show the same: tax rates of lines, and the change log."""
BEFORE_ITS_ANSWER = timedelta(seconds=30)
"""How much earlier than the Date of its answer a page may have been read from the provider's database."""

List = Callable[[Session, str, int, int, dict[str, str]], Awaitable[Window]]
"""Of session, phase, offset, limit, conditions."""


class _Rows(msgspec.Struct):
    """A reply with one of the provider's lists; an empty one is left out."""

    partner_list: msgspec.Raw = NOTHING
    result: msgspec.Raw = NOTHING
    product_list: msgspec.Raw = NOTHING
    stock_list: msgspec.Raw = NOTHING
    result_all_records: Any = None


async def partners(session: Session, phase: str, offset: int, limit: int, conditions: dict[str, str]) -> Window:
    """Partners in the provider's own order, or those that fit `conditions`; none is code 2."""
    try:
        return await _ask(session, "get_partner", "partner_list", {**conditions, **_window(offset, limit)})
    except Refused as error:
        if error.opr_code != INVALID:
            raise
        return Window(())


async def documents(session: Session, phase: str, offset: int, limit: int, conditions: dict[str, str]) -> Window:
    """Whole documents of a type, oldest first."""
    filters = [{"type": name, "value": value} for name, value in conditions.items()]
    body = {"doc_type": phase, "result_type": "doc", "order_direction": "asc", **FLAGS, **_window(offset, min(limit, MOST_DOCUMENTS))}
    return await _ask(session, "search", "result", body | ({"query_advance": filters} if filters else {}))


async def documents_with(session: Session, doc_type: str, text: str) -> Sequence[Row]:
    """The first documents of a type that a search for a text finds."""
    body = {"doc_type": doc_type, "result_type": "doc", "query": text, **FLAGS, **_window(0, MOST_DOCUMENTS)}
    return [row for row in (await _ask(session, "search", "result", body)).rows if row.id]


async def products(session: Session, phase: str, offset: int, limit: int, conditions: dict[str, str]) -> Window:
    return await _ask(session, "product_list", "product_list", {"return_pricelist": "true", **_window(offset, limit)})


async def stock(session: Session, phase: str, offset: int, limit: int, conditions: dict[str, str]) -> Window:
    return await _ask(session, "warehouse_stock", "stock_list", _window(offset, limit), place_of)


def _window(offset: int, limit: int) -> Values:
    return {"offset": str(offset), "limit": str(limit)}


async def _ask(session: Session, call: str, name: str, body: Values, identify: Callable[[Head], str] = id_of) -> Window:
    windows: list[Window] = []

    def check(response: Response) -> None:
        reply = decode(response.content, _Rows)
        total = number_of(reply.result_all_records)
        windows.append(Window(cut(getattr(reply, name), identify), None if total is None else int(total), _clock(response)))

    await session.client.read_by_post(path_of(call), body, check=check)
    return windows[-1]


def _clock(response: Response) -> str:
    return wall_clock((response.date or datetime.now(UTC)) - BEFORE_ITS_ANSWER)
