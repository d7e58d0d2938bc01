"""The hash chain: each entry's hash covers the entry and the hash before it, so no entry can change unnoticed.

hash = sha256(previous hash + the entry as JSON with sorted keys and no blanks)
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from app.audit.models import AuditEntry, ChainedEntry

START = b""
"""What stands before the first entry."""
_EXACT = 2**53
"""Beyond this a number in JSON is not the same number everywhere."""


def chain_hash(previous_hash: bytes, entry: AuditEntry) -> bytes:
    """The hash of an entry in its place."""
    return sha256(previous_hash + _canonical(entry)).digest()


def _canonical(entry: AuditEntry) -> bytes:
    """The same bytes for the same entry, today and when it is read back from the database."""
    return msgspec.json.encode(msgspec.to_builtins(entry), order="sorted")


def storable(data: Any) -> Any:
    """The data as it will come back from a jsonb column: text stays text and every number survives the way."""
    return _survivor(msgspec.json.decode(msgspec.json.encode(data)))


def _survivor(value: Any) -> Any:
    if isinstance(value, dict):
        return {_survivor(key): _survivor(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_survivor(inner) for inner in value]
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")  # jsonb cannot hold NUL
    if isinstance(value, int | float) and abs(value) >= _EXACT:
        return str(value)
    return value


def first_break(entries: Iterable[ChainedEntry], *, previous_hash: bytes, next_sequence: int) -> int | None:
    """The sequence of the first entry that does not fit the one before it; None if all do."""
    for chained in entries:
        is_next = chained.entry.sequence == next_sequence and chained.previous_hash == previous_hash
        if not is_next or chained.hash != chain_hash(previous_hash, chained.entry):
            return next_sequence
        previous_hash, next_sequence = chained.hash, next_sequence + 1
    return None
