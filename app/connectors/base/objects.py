"""What is read: objects, their parts, and the pages in which they come with the state that is safe to save after them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

State = dict[str, Any]


class Item(msgspec.Struct, frozen=True, gc=False):
    """One provider object as it was read: the bytes of its JSON (or CSV, XML) and its identity."""

    external_id: str
    payload: bytes
    version: str | None = None
    """The provider's own version or time stamp of the object, comparable as text; None where it has none."""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A child object from which its parent's document is assembled (a company's contact, a job's material)."""

    kind: str
    external_id: str
    parent_id: str
    payload: bytes
    """Empty: the part is gone."""


@dataclass(frozen=True, slots=True)
class BadItem:
    """An object that could not even be identified or cut out of its page; it is kept as a failed record."""

    external_id: str
    """The provider's id where there is one, else a stable hash of the payload."""
    payload: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects and the state that is safe to save after them."""

    state: State
    items: Sequence[Item] = ()
    parts: Sequence[Part] = ()
    bad: Sequence[BadItem] = ()
    expected: int | None = None
    """How many items the whole walk will have, where the provider says so."""
    read_after: datetime | None = None
    """The database's time before it was asked for; the hub notes it. What was written since then is newer than the page."""


class Mode(StrEnum):
    """Whether a walk asks for everything or for what changed since the saved state."""

    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Walk:
    """How a stream is to be walked.

    `resume` is the state after the last committed page of *this* walk (None at its start); `saved` is the state that
    the last completed walk left (None before the first). A walk's last page carries the state that becomes `saved`.
    """

    mode: Mode
    saved: State | None = None
    resume: State | None = None
    narrowed_to: Mapping[str, str] = field(default_factory=dict)
    """Only objects with these values, e.g. {"contact_external_id": "…"}; the keys are the stream's `narrow_by`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One provider object, read by its id: the item with all parts that its document is assembled from."""

    item: Item
    parts: Sequence[Part] = ()
