"""Offers, orders and bills as they are read: each with what the connection's settings say of its status.

https://github.com/metakocka/metakocka_api_base/blob/master/docs/documents_get_document_sales_offer.md
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from app.connectors.base import Item, Reading, Session
from app.connectors.metakocka.calls import decode, path_of
from app.connectors.metakocka.cutting import Head, Row, id_of
from app.connectors.metakocka.listing import FLAGS
from app.connectors.metakocka.payloads import ACCEPTED, OFFER, QUOTE, REJECTED, STATUS
from app.connectors.metakocka.replies import INVALID, Refused
from app.connectors.metakocka.values import Values, objects_in, stamp_of, text_of, version_of

Find = Callable[[Session, str], Awaitable[Reading | None]]


def document_items(session: Session, rows: Sequence[Row]) -> list[Item]:
    """Documents with their version, where the change log came with them."""
    return [document_item(session, row) for row in rows]


def document_item(session: Session, row: Row) -> Item:
    payload = row.payload
    if text_of(row.head.doc_type) == OFFER:
        payload = with_member(payload, STATUS, offer_status(text_of(row.head.status_desc), session.settings))
    return Item(row.id, payload, document_version({"document_info": row.head.document_info}))


def offer_status(key: str, settings: Any) -> str:
    """An offer's status in the hub's words: quote while clients may decide on it; a status that no setting names as it is."""
    if key and key == settings.accepted_status:
        return ACCEPTED
    if key and key == settings.rejected_status:
        return REJECTED
    return QUOTE if not key or key in keys_in(settings.open_statuses) else key


def status_key(status: str, settings: Any) -> str:
    """The key of Metakocka's for a status in the hub's words; empty where no setting says it."""
    known = {ACCEPTED: settings.accepted_status, REJECTED: settings.rejected_status, QUOTE: next(iter(keys_in(settings.open_statuses)), "")}
    return str(known.get(status, status))


def keys_in(text: str) -> list[str]:
    """Keys separated by commas."""
    return [key.strip() for key in text.split(",") if key.strip()]


def with_member(payload: bytes, name: str, value: str) -> bytes:
    """A JSON object with one more member."""
    return payload.rstrip()[:-1].rstrip().rstrip(b",") + b"," + msgspec.json.encode({name: value})[1:]


async def find_document(session: Session, mk_id: str, *, types: Sequence[str]) -> Reading | None:
    """A document by its id, of the first of these types that has it; None where no type has. Raises ConnectorError."""
    for doc_type in types:
        if reading := await get_document(session, doc_type, doc_id=mk_id):
            return reading
    return None


async def get_document(session: Session, doc_type: str, **key: str) -> Reading | None:
    """A document by `doc_id` (its mk_id) or, an order, by `buyer_order`. None: code 2, there is none. Raises ConnectorError."""
    try:
        response = await session.client.read_by_post(path_of("get_document"), {"doc_type": doc_type, **key, **FLAGS})
    except Refused as error:
        if error.opr_code != INVALID:
            raise
        return None
    head = decode(response.content, Head)
    wanted = key.get("doc_id")
    if not id_of(head) or (wanted and id_of(head) != wanted):
        return None
    return Reading(document_item(session, Row(id_of(head), head, without_times(response.content))))


def finder(*types: str) -> Find:
    return partial(find_document, types=types)


_OF_THE_CALL = ("opr_time_ms", "opr_time_no_lock_ms")


def without_times(payload: bytes) -> bytes:
    """A reply without how long it took: the same document gives the same bytes."""
    members = decode(payload, dict[str, msgspec.Raw])
    if not members.keys() & set(_OF_THE_CALL):
        return payload
    return msgspec.json.encode({name: value for name, value in members.items() if name not in _OF_THE_CALL})


def document_version(document: Values) -> str | None:
    """The time of a document's latest change, where its change log came with it."""
    stamps = [stamp for entry in objects_in(document.get("document_info")) if (stamp := stamp_of(entry.get("operation_time")))]
    return version_of(max(stamps)) if stamps else None
