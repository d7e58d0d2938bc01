"""Where each stream of a connection stands."""

from uuid import UUID

from app.actors import Scope
from app.connectors.base import Connector
from app.database import fetch
from app.syncs.models import RunStatus, StreamStatus


async def stream_statuses(scope: Scope, connection_id: UUID, connector: Connector) -> list[StreamStatus]:
    """One row for each stream that the connector offers."""
    rows = await fetch(
        scope,
        """
        SELECT given.stream,
            coalesce(mapped.records, 0) AS records,
            (SELECT count(*) FROM failed_record WHERE organization_id = $1 AND connection_id = $2 AND stream = given.lock_stream
                AND resolved_at IS NULL AND dismissed_at IS NULL) AS failed_records,
            last.sync_run_id AS last_run_id, last.status AS last_run_status,
            (SELECT updated_at FROM stream_state WHERE organization_id = $1 AND connection_id = $2 AND stream = given.stream)
                AS last_completed_at
        FROM unnest($3::text[], $4::text[]) AS given (stream, lock_stream)
        LEFT JOIN (
            SELECT stream, count(*) AS records FROM mapping
            WHERE organization_id = $1 AND connection_id = $2 AND status <> 'deleted' GROUP BY stream
        ) AS mapped ON mapped.stream = given.lock_stream
        LEFT JOIN LATERAL (
            SELECT s.sync_run_id, r.status FROM sync_run_stream s
            JOIN sync_run r ON r.organization_id = s.organization_id AND r.id = s.sync_run_id
            WHERE s.organization_id = $1 AND s.connection_id = $2 AND s.stream = given.stream AND r.task <> 'plan'
            ORDER BY s.sync_run_id DESC LIMIT 1) AS last ON true
        """,
        scope.organization_id,
        connection_id,
        list(connector.streams),
        [stream.record_stream for stream in connector.streams.values()],
    )
    return [
        StreamStatus(
            **{**row, "last_run_status": RunStatus(row["last_run_status"]) if row["last_run_status"] else None},
            title=connector.streams[row["stream"]].title,
        )
        for row in rows
    ]
