"""Cuts a page into its objects without decoding them whole: a page of 1,000 in a few milliseconds."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import msgspec

from app.connectors.base import BadItem
from app.connectors.errors import UnexpectedResponse
from app.connectors.servicem8.payloads import Head

LONGEST_UUID = 100
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_heads = msgspec.json.Decoder(list[Head])
_head = msgspec.json.Decoder(Head)


@dataclass(frozen=True, slots=True)
class Cut:
    """One object of a page."""

    uuid: str
    head: Head
    payload: bytes


@dataclass(frozen=True, slots=True)
class CutPage:
    """A page's objects by uuid (of two with the same uuid the later one stands), and what has no uuid."""

    objects: tuple[Cut, ...]
    bad: tuple[BadItem, ...]


def cut(content: bytes) -> CutPage:
    """The objects of a page. Raises UnexpectedResponse when it is not a JSON array from end to end."""
    pieces = _pieces(content)
    objects: dict[str, Cut] = {}
    bad: dict[str, BadItem] = {}
    for payload, head in zip(pieces, _heads_of(content, pieces), strict=True):
        if head and is_uuid(head.uuid):
            objects[head.uuid] = Cut(head.uuid, head, payload)
        else:
            item = _without_uuid(payload)
            bad[item.external_id] = item
    return CutPage(tuple(objects.values()), tuple(bad.values()))


def is_uuid(value: Any) -> bool:
    """Whether this can tell objects apart: no database takes a NUL or half a character."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_UUID and value.isprintable()


def _pieces(content: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _raws.decode(content)]
    except (msgspec.DecodeError, RecursionError):
        return _pieces_of_odd_json(content)


def _pieces_of_odd_json(content: bytes) -> list[bytes]:
    """The same for a page in which an object holds what JSON does not know, like a bare NaN: only that object shall fail."""
    # Bytes that are no UTF-8 are carried through unchanged; they stay within their object.
    text = content.decode("utf-8", "surrogateescape")
    scanner = json.JSONDecoder(strict=False)
    pieces, place = [], _after(text, 0, "[")
    while not text.startswith("]", place):
        start = place
        try:
            _, place = scanner.raw_decode(text, place)
        except (ValueError, RecursionError):
            raise UnexpectedResponse("The provider's page is not a complete JSON array.") from None
        pieces.append(text[start:place].encode("utf-8", "surrogateescape"))
        place = _skip_blanks(text, place)
        if not text.startswith("]", place):
            place = _after(text, place, ",")
    return pieces


def _after(text: str, place: int, expected: str) -> int:
    place = _skip_blanks(text, place)
    if not text.startswith(expected, place):
        raise UnexpectedResponse("The provider's page is not a complete JSON array.")
    return _skip_blanks(text, place + 1)


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def _heads_of(content: bytes, pieces: list[bytes]) -> list[Head | None]:
    try:
        return list(_heads.decode(content))
    except (msgspec.DecodeError, RecursionError):
        return [_head_of(piece) for piece in pieces]


def _head_of(piece: bytes) -> Head | None:
    try:
        return _head.decode(piece)
    except (msgspec.DecodeError, RecursionError):
        return _head_of_odd_json(piece)


def _head_of_odd_json(piece: bytes) -> Head | None:
    try:
        values = json.loads(piece.decode("utf-8", "surrogateescape"), strict=False)
        return msgspec.convert({name: values[name] for name in Head.__struct_fields__ if name in values}, Head)
    except (ValueError, TypeError, RecursionError):
        return None


def _without_uuid(payload: bytes) -> BadItem:
    return BadItem(
        f"sha256:{hashlib.sha256(payload).hexdigest()[:32]}", payload, "This object came without a usable uuid, so it cannot be told apart."
    )
