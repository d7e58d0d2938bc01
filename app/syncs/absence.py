"""Deletions that a provider does not tell of: what a complete scan did not find is gone there, after a last look.

More of them at once than the stream's policy allows are held back: a provider that suddenly shows a fraction of its records is
more likely in trouble than empty.
"""

from collections.abc import Sequence
from uuid import UUID

from app.actors import Scope
from app.conflicts.models import StreamPolicy
from app.connectors.base import Item, Page, Part, Session
from app.database import fetch, fetch_value
from app.syncs.sources import Source

BATCH = 100


async def absent(scope: Scope, run_id: UUID, connection_id: UUID, stream: str) -> list[str]:
    """The external ids that are known and that no page of this run's scan named: an exact anti-join."""
    rows = await fetch(
        scope,
        """
        SELECT external_id FROM mapping
        WHERE organization_id = $1 AND connection_id = $3 AND stream = $4 AND status <> 'deleted' AND archived_at IS NULL
        EXCEPT
        SELECT unnest(external_ids) FROM sync_page
        WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull'
        ORDER BY external_id
        """,
        scope.organization_id,
        run_id,
        connection_id,
        stream,
    )
    return [row["external_id"] for row in rows]


async def has_unreadable(scope: Scope, run_id: UUID, stream: str) -> bool:
    """Whether the scan met objects that could not be told apart: any of them may be one that seems to be missing."""
    found: bool = await fetch_value(
        scope,
        """
        SELECT EXISTS (SELECT FROM failed_record
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND stage = 'read' AND resolved_at IS NULL)
        """,
        scope.organization_id,
        run_id,
        stream,
    )
    return found


def trips_brake(policy: StreamPolicy, missing: int, known: int) -> bool:
    """Whether so many deletions at once are held back."""
    return missing > policy.brake_minimum and missing > policy.brake_share * known


async def look_again(source: Source, session: Session, external_ids: Sequence[str]) -> Page:
    """Ask for each of them by its id. A scan whose pages drifted may have missed one that is there. Raises ConnectorError."""
    items: list[Item] = []
    parts: list[Part] = []
    for external_id in external_ids:
        reading = await source.stream.read_one(session, external_id)
        if reading is None:
            items.append(Item(external_id, b"", deleted=True))
        else:
            items.append(reading.item)
            parts += reading.parts
    return Page(state={}, items=items, parts=parts)
