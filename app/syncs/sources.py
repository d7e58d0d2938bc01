"""Where a page comes from and where a push goes to."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.connectors.base import Account, Stream
from app.mappings.translate import Translator


@dataclass(frozen=True, slots=True)
class Source:
    """A stream of a connection, and what its account says of itself."""

    scope: Scope
    connection_id: UUID
    provider: str
    account: Account
    stream: Stream
    translator: Translator
    run_id: UUID | None
    """None: somebody tries failed records again, which stay with the run that they failed in, or writes a single record."""
    name: str
    """Who is noted as the one who synced."""
    pushable: Collection[tuple[str, str]]
    """Providers and streams that can be written: what changes here waits to be pushed there."""
