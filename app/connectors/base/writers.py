"""How records are written, each with its effect once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from app.connectors.base.objects import Reading
from app.connectors.base.sessions import Session


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """What is to be written of one record, in the provider's words. The same delivery always brings the same `key`."""

    key: str
    """The delivery's id: the idempotency key, or the mark to look for, of every write that it causes."""
    external_id: str | None
    """None: the provider does not have it yet."""
    document: Mapping[str, Any]
    """Everything that the field mapping pushes, whole and nested as `Stream.assemble` gives it."""
    changed: frozenset[str]
    """Top-level names of `document` that differ from what the provider has; all of them for a new object."""
    before: Reading | None
    """The object as it was read a moment ago; it holds the ids of its child objects. None for a new object."""
    attempted: bool = False
    """An earlier attempt may have been carried out: look before writing."""


class Writer(Protocol):
    """How objects of a stream are written. Each write has its effect once, whatever the provider does with a repeat.

    What cannot be made sure is OutcomeUnknown: the same write comes again later with `attempted`.
    """

    deletes: Literal["delete", "deactivate"] | None
    """What the provider can do instead of having the object; None: it can do neither."""
    requests: int
    """How many requests one write takes, about."""

    def key_of(self, document: Mapping[str, Any]) -> str | None:
        """By what an object is found that is there already (a tax number, our own document number); None: by nothing. Pure."""
        ...

    async def find(self, session: Session, document: Mapping[str, Any], key: str) -> Sequence[Reading]:
        """The provider's objects that are this one: made by an earlier attempt of `key`, or with the same natural key.

        Raises ConnectorError.
        """
        ...

    async def write(self, session: Session, write: RecordWrite) -> Reading:
        """Create or update; returns the object as the provider shows it afterwards.

        Raises RequestRejected when the provider refuses it, OutcomeUnknown, ConnectorError.
        """
        ...

    async def remove(self, session: Session, external_id: str) -> None:
        """Delete or deactivate (see `deletes`). What is gone already is well. Raises ConnectorError."""
        ...
