"""Every query on failed records."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from app.actors import Scope
from app.connectors.base import Item
from app.database import execute, fetch, fetch_row, fetch_value
from app.errors import FixBy
from app.ids import new_id
from app.mappings import repository as mappings
from app.syncs.models import FailedRecord, FailedTry

IS_OPEN = "resolved_at IS NULL AND dismissed_at IS NULL"
"""Neither well by now nor dismissed."""
SHOWN_PAYLOAD = 20_000
"""Bytes of a payload that are shown; it is kept whole."""
KEPT_TRIES = 20
"""Of the times that a record failed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one object could not be taken over."""

    external_id: str
    payload: bytes
    stage: str
    message: str
    code: str = "record_invalid"
    fix_by: FixBy = FixBy.CUSTOMER


_EDIT = ("edited_payload", "edited_by", "edited_at")
_DISMISSAL = ("dismissed_at", "dismissed_by", "dismissed_reason")
_IS_EDITED = "(excluded.payload = failed_record.edited_payload) IS TRUE"
_KEEPS_EDIT = f"{_IS_EDITED} OR excluded.payload = failed_record.payload"
_IS_THE_SAME = f"({_KEEPS_EDIT}) AND excluded.stage = failed_record.stage AND excluded.message = failed_record.message"


async def put_failures(scope: Scope, connection_id: UUID, stream: str, run_id: UUID | None, failures: Sequence[Failure]) -> None:
    """One open failed record for each external id; a repeated failure counts up, and without a run stays with its own.

    What fails with an edited payload keeps the provider's; another payload from the provider puts an end to the edit. A dismissed one
    stays so while nothing about it changes.
    """
    await execute(
        scope,
        f"""
        INSERT INTO failed_record (id, organization_id, connection_id, stream, sync_run_id,
                                   external_id, payload, stage, message, error_code, fix_by, tries)
        SELECT given.id, $1, $2, $3, $4, given.external_id, given.payload, given.stage, given.message, given.code, given.fix_by,
            jsonb_build_array(jsonb_build_object('at', now(), 'run_id', $4::uuid, 'stage', given.stage, 'message', given.message,
                                                 'edited', false))
        FROM unnest($5::uuid[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[], $11::text[])
             AS given (id, external_id, payload, stage, message, code, fix_by)
        ON CONFLICT (organization_id, connection_id, stream, external_id) WHERE resolved_at IS NULL DO UPDATE SET
            payload = CASE WHEN {_IS_EDITED} THEN failed_record.payload ELSE excluded.payload END,
            {", ".join(f"{name} = CASE WHEN {_KEEPS_EDIT} THEN failed_record.{name} END" for name in _EDIT)},
            {", ".join(f"{name} = CASE WHEN {_IS_THE_SAME} THEN failed_record.{name} END" for name in _DISMISSAL)},
            stage = excluded.stage, message = excluded.message, error_code = excluded.error_code, fix_by = excluded.fix_by,
            sync_run_id = coalesce(excluded.sync_run_id, failed_record.sync_run_id), last_failed_at = now(),
            attempts = failed_record.attempts + 1,
            tries = CASE WHEN jsonb_array_length(failed_record.tries) < {KEPT_TRIES} THEN failed_record.tries
                    ELSE failed_record.tries - 0 END
                || jsonb_set(excluded.tries, '{{0,edited}}', to_jsonb({_IS_EDITED}))
        """,
        scope.organization_id,
        connection_id,
        stream,
        run_id,
        [new_id() for _ in failures],
        [failure.external_id for failure in failures],
        [failure.payload for failure in failures],
        [failure.stage for failure in failures],
        [failure.message for failure in failures],
        [failure.code for failure in failures],
        [failure.fix_by for failure in failures],
    )


async def heal(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> None:
    """Close the failed records of objects that have now been taken over; those of pushes are another matter.

    What came from an edited payload has no fingerprint: whatever the provider sends next is looked at, and decides.
    """
    closed = await _close(scope, connection_id, stream, external_ids, "<> 'push'")
    if edited := {external_id: payload for external_id, payload in closed if payload is not None}:
        await mappings.forget_fingerprints(scope, connection_id, stream, edited)


async def heal_pushed(scope: Scope, connection_id: UUID, stream: str, keys: Sequence[str]) -> int:
    """Close the failed records of objects that the provider has now, or that have nothing to bring any more. Says how many."""
    return len(await _close(scope, connection_id, stream, keys, "= 'push'"))


async def _close(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str], stage: str) -> list[tuple[str, bytes | None]]:
    """Returns the closed ones: external id and edited payload."""
    rows = await fetch(
        scope,
        f"""
        UPDATE failed_record SET resolved_at = now()
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND resolved_at IS NULL
          AND external_id = ANY($4::text[]) AND stage {stage}
        RETURNING external_id, edited_payload
        """,
        scope.organization_id,
        connection_id,
        stream,
        list(external_ids),
    )
    return [(row["external_id"], row["edited_payload"]) for row in rows]


@dataclass(frozen=True, slots=True)
class OpenFailure:
    """An open failed record, ready to be tried again with its edited payload, or else the provider's."""

    id: UUID
    stream: str
    item: Item


async def open_failures(
    scope: Scope,
    connection_id: UUID,
    *,
    stream: str | None = None,
    record_ids: Sequence[UUID] | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> list[OpenFailure]:
    """Open failed records that have an identity, in the order of their ids; dismissed ones only where they are named."""
    rows = await fetch(
        scope,
        """
        SELECT id, stream, external_id, coalesce(edited_payload, payload) AS payload FROM failed_record
        WHERE organization_id = $1 AND connection_id = $2 AND resolved_at IS NULL AND stage NOT IN ('read', 'push')
          AND (dismissed_at IS NULL OR $4::uuid[] IS NOT NULL)
          AND ($3::text IS NULL OR stream = $3) AND ($4::uuid[] IS NULL OR id = ANY($4)) AND ($5::uuid IS NULL OR id > $5)
        ORDER BY id LIMIT $6
        """,
        scope.organization_id,
        connection_id,
        stream,
        record_ids,
        after,
        limit,
    )
    return [OpenFailure(row["id"], row["stream"], Item(row["external_id"], row["payload"])) for row in rows]


COLUMNS = f"""
    id, connection_id, stream, external_id, sync_run_id, stage, error_code, message, cause, fix_by, attempts,
    substring(payload FOR {SHOWN_PAYLOAD}) AS payload, first_failed_at, last_failed_at, resolved_at,
    substring(edited_payload FOR {SHOWN_PAYLOAD}) AS edited_payload, edited_by, edited_at,
    dismissed_at, dismissed_by, dismissed_reason, tries
"""


def failed_record(row: asyncpg.Record) -> FailedRecord:
    """Of a row of COLUMNS."""
    edited, tries = row["edited_payload"], msgspec.convert(row["tries"], list[FailedTry])
    texts = {"payload": row["payload"].decode(errors="replace"), "edited_payload": edited and edited.decode(errors="replace")}
    return FailedRecord(**{**row, **texts, "tries": tries})


async def get(scope: Scope, failed_record_id: UUID) -> FailedRecord | None:
    row = await fetch_row(
        scope, f"SELECT {COLUMNS} FROM failed_record WHERE organization_id = $1 AND id = $2", scope.organization_id, failed_record_id
    )
    return failed_record(row) if row else None


async def open_one(scope: Scope, connection_id: UUID, stream: str, external_id: str) -> tuple[UUID | None, str | None]:
    """The failed record of an object that is not well, dismissed or not: id and message."""
    row = await fetch_row(
        scope,
        """
        SELECT id, message FROM failed_record
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND external_id = $4 AND resolved_at IS NULL
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_id,
    )
    return (row["id"], row["message"]) if row else (None, None)


async def whole_payload(scope: Scope, failed_record_id: UUID) -> bytes | None:
    """What is tried next: the edited payload, or else the provider's."""
    sql = "SELECT coalesce(edited_payload, payload) FROM failed_record WHERE organization_id = $1 AND id = $2"
    found: bytes | None = await fetch_value(scope, sql, scope.organization_id, failed_record_id)
    return found


async def lock(scope: Scope, failed_record_id: UUID) -> bool:
    """Hold a failed record until the transaction ends. False when it is well by now."""
    sql = "SELECT id FROM failed_record WHERE organization_id = $1 AND id = $2 AND resolved_at IS NULL FOR NO KEY UPDATE"
    return await fetch_value(scope, sql, scope.organization_id, failed_record_id) is not None


async def edit(scope: Scope, failed_record_id: UUID, payload: bytes, by: str) -> None:
    """From now on it is tried with this payload; the provider's is kept beside it."""
    await execute(
        scope,
        """
        UPDATE failed_record SET edited_payload = $3, edited_by = $4, edited_at = now(),
            dismissed_at = NULL, dismissed_by = NULL, dismissed_reason = NULL
        WHERE organization_id = $1 AND id = $2 AND resolved_at IS NULL
        """,
        scope.organization_id,
        failed_record_id,
        payload,
        by,
    )


async def is_any(scope: Scope, failed_record_ids: Sequence[UUID]) -> bool:
    """Whether at least one of them exists."""
    sql = "SELECT EXISTS (SELECT FROM failed_record WHERE organization_id = $1 AND id = ANY($2::uuid[]))"
    return bool(await fetch_value(scope, sql, scope.organization_id, list(failed_record_ids)))


async def dismiss(scope: Scope, failed_record_ids: Sequence[UUID], reason: str, by: str) -> list[UUID]:
    """They may stay as they are. Returns those that were open."""
    rows = await fetch(
        scope,
        f"""
        UPDATE failed_record SET dismissed_at = now(), dismissed_by = $4, dismissed_reason = $3
        WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND {IS_OPEN} RETURNING id
        """,
        scope.organization_id,
        list(failed_record_ids),
        reason,
        by,
    )
    return [row["id"] for row in rows]


async def reopen(scope: Scope, failed_record_id: UUID) -> bool:
    """False when it was not dismissed, or is well by now."""
    sql = """
        UPDATE failed_record SET dismissed_at = NULL, dismissed_by = NULL, dismissed_reason = NULL
        WHERE organization_id = $1 AND id = $2 AND dismissed_at IS NOT NULL AND resolved_at IS NULL
    """
    return bool(await execute(scope, sql, scope.organization_id, failed_record_id))


async def open_payloads(scope: Scope, connection_id: UUID, stream: str, external_ids: Sequence[str]) -> dict[str, bytes]:
    """What the open failed records among these hold."""
    rows = await fetch(
        scope,
        """
        SELECT found.* FROM unnest($4::text[]) AS given (external_id) CROSS JOIN LATERAL (
            SELECT external_id, coalesce(edited_payload, payload) AS payload FROM failed_record
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND external_id = given.external_id
              AND resolved_at IS NULL AND stage NOT IN ('read', 'push')
            LIMIT 1) AS found
        """,
        scope.organization_id,
        connection_id,
        stream,
        external_ids,
    )
    return {row["external_id"]: row["payload"] for row in rows}
