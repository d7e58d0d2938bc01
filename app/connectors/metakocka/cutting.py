"""Cuts a reply into its objects without decoding them whole."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from app.connectors.base import BadItem
from app.connectors.errors import UnexpectedResponse
from app.connectors.metakocka.values import text_of

LONGEST_ID = 100
NOTHING = msgspec.Raw(b"[]")


class Head(msgspec.Struct):
    """What is told of a row without decoding all of it."""

    mk_id: Any = None
    warehouse_id: Any = ""
    doc_type: Any = ""
    status_desc: Any = ""
    document_info: Any = ()


class Row(msgspec.Struct, frozen=True, gc=False):
    """One object of a reply. Its id is empty where it has none that can be used."""

    id: str
    head: Head
    payload: bytes


_pieces = msgspec.json.Decoder(list[msgspec.Raw])
_heads = msgspec.json.Decoder(list[Head])
_head = msgspec.json.Decoder(Head)


def id_of(head: Head) -> str:
    """The mk_id; nothing where it cannot tell objects apart."""
    identifier = text_of(head.mk_id)
    return identifier if identifier.isprintable() and len(identifier) <= LONGEST_ID else ""


def place_of(head: Head) -> str:
    """The id of a stock row: the warehouse's and the product's, joined by a colon."""
    product, warehouse = id_of(head), text_of(head.warehouse_id)
    return f"{warehouse}:{product}" if product and warehouse else ""


def cut(raw: msgspec.Raw, identify: Callable[[Head], str] = id_of) -> list[Row]:
    """The rows of a list, which may have come as its only element. Raises UnexpectedResponse for neither."""
    content = bytes(raw).strip()
    if content.startswith(b"{"):
        content = b"[" + content + b"]"
    try:
        pieces = [bytes(piece) for piece in _pieces.decode(content)]
    except (msgspec.DecodeError, RecursionError):
        raise UnexpectedResponse("Metakocka's answer holds something else where a list belongs.") from None
    return [Row(identify(head), head, piece) for piece, head in zip(pieces, _heads_of(content, pieces), strict=True)]


def without_id(row: Row) -> BadItem:
    digest = hashlib.sha256(row.payload).hexdigest()[:32]
    return BadItem(f"sha256:{digest}", row.payload, "This object came without a usable mk_id, so it cannot be told apart.")


def _heads_of(content: bytes, pieces: list[bytes]) -> list[Head]:
    try:
        return list(_heads.decode(content))
    except (msgspec.DecodeError, RecursionError):
        return [_head_of(piece) for piece in pieces]


def _head_of(piece: bytes) -> Head:
    try:
        return _head.decode(piece)
    except (msgspec.DecodeError, RecursionError):
        return Head()
