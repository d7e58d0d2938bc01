"""Where a page comes from and where a push goes to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.actors import Scope
from app.connectors.base import Account, Item, Part, Stream
from app.mappings.translate import Translator

UNUSABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, msgspec.MsgspecError)
"""What a document that nobody thought of may cause. It must not stop the records beside it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A stream of a connection, and what its account says of itself."""

    scope: Scope
    connection_id: UUID
    provider: str
    account: Account
    stream: Stream
    translator: Translator
    """By the field mapping that counts."""
    earlier: Sequence[Translator]
    """By those that counted before: they tell an object that has changed from one that is only translated otherwise now."""
    run_id: UUID | None
    """None: somebody tries failed records again, which stay with the run that they failed in, or writes a single record."""
    name: str
    """Who is noted as the one who synced."""
    pushable: Collection[tuple[str, str]]
    """Providers and streams that can be written: what changes here waits to be pushed there."""

    def data_of(self, item: Item, parts: Sequence[Part]) -> bytes:
        """A record's data, as JSON, of an object and its parts. Raises what is UNUSABLE."""
        document = self.stream.assemble(item.payload, parts, self.account)
        return msgspec.json.encode(self.translator.translate(document, self.account))

    def covers(self, home: UUID | None) -> frozenset[str]:
        """The fields that this connection has a say in, of a record that came from `home`.

        Ids of child objects, numbers and sums are each provider's own: where a record came from another connection that can be written as
        well, only what can be told to this one is compared and taken over.
        """
        if home in (None, self.connection_id) or self.stream.writer is None:
            return frozenset(self.translator.fields)
        return frozenset(self.translator.pushed_fields)
