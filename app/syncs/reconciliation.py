"""Reconciliation: after a complete scan, whether hub and provider have the same objects and the same values.

A scan has already taken over what differed; what is found here is what no sync put right: objects that one side lacks, and records
that are said to be in step and are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.actors import Actor, Permission, Scope
from app.database import fetch, fetch_row
from app.mail.service import MailService
from app.mappings.translate import Translator
from app.paging import PageRequest, ResultPage
from app.syncs.leases import Lease
from app.syncs.sources import Source

EXAMPLES = 10
"""So many external ids of each kind are kept."""
BATCH = 500
TOLD_ONCE_PER = timedelta(hours=1)
"""Operators hear of drift in a stream of a connection no more often."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the complete scan of one stream in one run came to."""

    sync_run_id: UUID
    connection_id: UUID
    stream: str
    seen: int
    """Objects that the provider has, as the scan found."""
    mapped: int
    """Live mappings."""
    missing_here: int
    """Objects at the provider without a mapping or a failed record here."""
    missing_there: int
    """Live mappings, older than the scan, whose object it did not name."""
    different: int
    """Mappings that are said to be synced, whose records differ in mapped fields from what hub and provider last both had."""
    failed: int
    """Objects that could not be taken over."""
    taken_over: int
    """Objects that were new, changed or gone: what earlier syncs had not seen, in step since this scan."""
    examples: Mapping[str, Sequence[str]]
    """Some external ids by kind: missing_here, missing_there, different."""
    compared_at: datetime

    @property
    def drift(self) -> tuple[int, int, int]:
        """Missing here, missing there, different."""
        return self.missing_here, self.missing_there, self.different

    @property
    def has_drift(self) -> bool:
        return any(self.drift)

    @property
    def sentence(self) -> str:
        """What it came to, for people."""
        if self.has_drift:
            kinds = ("missing here", "missing there", "different")
            return ", ".join(f"{count} {kind}" for count, kind in zip(self.drift, kinds, strict=True) if count)
        return f"{self.seen} objects compared, all in step" + (f"; {self.taken_over} taken over" if self.taken_over else "")


_COLUMNS = ", ".join(field.name for field in fields(Reconciliation))


class ReconciliationService:
    """Reading what reconciliations came to."""

    async def of_run(self, actor: Actor, run_id: UUID) -> list[Reconciliation]:
        """One for each stream that the run scanned completely."""
        return (await self.of_runs(actor, [run_id]))[run_id]

    async def of_runs(self, actor: Actor, run_ids: Sequence[UUID]) -> dict[UUID, list[Reconciliation]]:
        """Those of several runs, by run."""
        actor.require(Permission.READ_SYNCS)
        rows = await fetch(
            actor.scope,
            f"SELECT {_COLUMNS} FROM reconciliation WHERE organization_id = $1 AND sync_run_id = ANY($2::uuid[]) ORDER BY stream",
            actor.organization_id,
            list(run_ids),
        )
        found: dict[UUID, list[Reconciliation]] = {run_id: [] for run_id in run_ids}
        for row in rows:
            found[row["sync_run_id"]].append(Reconciliation(**row))
        return found

    async def latest(self, actor: Actor, connection_id: UUID, streams: Sequence[str]) -> list[Reconciliation]:
        """The last one of each of the streams that were ever scanned completely."""
        return list((await self.latest_of(actor, [(connection_id, stream) for stream in streams])).values())

    async def latest_of(self, actor: Actor, wanted: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Reconciliation]:
        """The last one of each connection and stream that was ever scanned completely."""
        actor.require(Permission.READ_SYNCS)
        rows = await fetch(
            actor.scope,
            f"""
            SELECT latest.* FROM unnest($2::uuid[], $3::text[]) AS given (connection_id, stream) CROSS JOIN LATERAL (
                SELECT {_COLUMNS} FROM reconciliation
                WHERE organization_id = $1 AND connection_id = given.connection_id AND stream = given.stream
                ORDER BY sync_run_id DESC LIMIT 1) AS latest
            """,
            actor.organization_id,
            [connection_id for connection_id, _ in wanted],
            [stream for _, stream in wanted],
        )
        return {(row["connection_id"], row["stream"]): Reconciliation(**row) for row in rows}

    async def history(self, actor: Actor, connection_id: UUID, stream: str, page: PageRequest) -> ResultPage[Reconciliation]:
        """Those of one stream, newest first."""
        actor.require(Permission.READ_SYNCS)
        rows = await fetch(
            actor.scope,
            f"""
            SELECT {_COLUMNS} FROM reconciliation
            WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND ($4::uuid IS NULL OR sync_run_id < $4)
            ORDER BY sync_run_id DESC LIMIT $5
            """,
            actor.organization_id,
            connection_id,
            stream,
            page.key(UUID),
            page.first + 1,
        )
        return ResultPage.cut([Reconciliation(**row) for row in rows], page.first, lambda found: found.sync_run_id)


async def reconcile(lease: Lease, source: Source, mail: MailService) -> Reconciliation:
    """Compare hub and provider after a complete scan of the stream by this run, keep the result, and tell operators of drift.

    In the caller's transaction, which ends with a checkpoint: whoever lost the lease writes nothing. Repeating it does no harm.
    """
    where = (lease.run_id, lease.connection_id, source.stream.record_stream)
    counts = await compare_objects(lease.scope, *where)
    differing = await _differing(lease.scope, source.translator, *where[1:])
    examples = {"missing_here": counts.pop("here"), "missing_there": counts.pop("there"), "different": differing[:EXAMPLES]}
    before = await _before(lease.scope, *where)
    found = await _keep(lease.scope, *where, {**counts, "different": len(differing), "examples": examples})
    if found.has_drift and (before is None or before.drift != found.drift):
        await _tell(lease.scope, source.stream.title, found, mail)
    return found


async def compare_objects(scope: Scope, run_id: UUID, connection_id: UUID, stream: str) -> dict[str, object]:
    """What one side has and the other has not. EXCEPT hashes or sorts; however wrong the planner's guess, it is no nested loop."""
    row = await fetch_row(
        scope,
        """
        WITH seen AS MATERIALIZED (
            SELECT DISTINCT unnest(external_ids) AS external_id FROM sync_page
            WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull'),
        mapped AS MATERIALIZED (
            SELECT external_id, created_at, status = 'deleted' AS is_deleted, status <> 'deleted' AND archived_at IS NULL AS is_live
            FROM mapping
            WHERE organization_id = $1 AND connection_id = $3 AND stream = $4),
        failed AS MATERIALIZED (
            SELECT external_id FROM failed_record
            WHERE organization_id = $1 AND connection_id = $3 AND stream = $4 AND resolved_at IS NULL AND stage <> 'push'),
        here AS MATERIALIZED (
            SELECT external_id FROM seen
            EXCEPT (SELECT external_id FROM mapped UNION ALL SELECT external_id FROM failed)),
        there AS MATERIALIZED (
            SELECT external_id FROM mapped
            -- what came while the scan was under way may lie behind it
            WHERE is_live AND created_at < (SELECT started_at FROM sync_run_stream
                WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull')
            EXCEPT (SELECT external_id FROM seen UNION ALL SELECT external_id FROM failed))
        -- a scan also names what the provider calls deleted, and what was asked for once more and is gone
        SELECT (SELECT count(*) FROM seen) - (SELECT count(*) FROM seen JOIN mapped USING (external_id) WHERE is_deleted) AS seen,
            (SELECT count(*) FROM mapped WHERE is_live) AS mapped,
            (SELECT count(*) FROM here) AS missing_here, (SELECT count(*) FROM there) AS missing_there,
            (SELECT count(*) FROM failed) AS failed,
            (SELECT created + updated + deleted FROM sync_run_stream
                WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $4 AND direction = 'pull') AS taken_over,
            ARRAY(SELECT external_id FROM here ORDER BY 1 LIMIT $5) AS here,
            ARRAY(SELECT external_id FROM there ORDER BY 1 LIMIT $5) AS there
        """,
        scope.organization_id,
        run_id,
        connection_id,
        stream,
        EXAMPLES,
    )
    return dict(row or {})


async def _differing(scope: Scope, translator: Translator, connection_id: UUID, stream: str) -> list[str]:
    """External ids of mappings that are said to be synced while the record is not what both had; in what is mapped, nothing else."""
    found: list[str] = []
    after: UUID | None = None
    while True:
        rows = await moved_on(scope, connection_id, stream, after)
        found += [row["external_id"] for row in rows if translator.changed(row["base"] or {}, row["data"])]
        if len(rows) < BATCH:
            return found
        after = rows[-1]["id"]


async def moved_on(scope: Scope, connection_id: UUID, stream: str, after: UUID | None) -> list[asyncpg.Record]:
    """Synced mappings whose record has another version than the one that both had: few, so that only these are read whole."""
    return await fetch(
        scope,
        """
        SELECT mapping.id, mapping.external_id, record.data, record_version.data AS base
        FROM mapping
        JOIN record ON record.organization_id = $1 AND record.id = mapping.record_id AND record.version <> mapping.base_version
        LEFT JOIN record_version ON record_version.organization_id = $1 AND record_version.record_id = mapping.record_id
            AND record_version.version = mapping.base_version
        WHERE mapping.organization_id = $1 AND mapping.connection_id = $2 AND mapping.stream = $3
          AND mapping.status = 'synced' AND mapping.archived_at IS NULL AND ($4::uuid IS NULL OR mapping.id > $4)
          AND record.deleted_at IS NULL
        ORDER BY mapping.id LIMIT $5
        """,
        scope.organization_id,
        connection_id,
        stream,
        after,
        BATCH,
    )


async def _before(scope: Scope, run_id: UUID, connection_id: UUID, stream: str) -> Reconciliation | None:
    row = await fetch_row(
        scope,
        f"""
        SELECT {_COLUMNS} FROM reconciliation
        WHERE organization_id = $1 AND connection_id = $2 AND stream = $3 AND sync_run_id < $4 ORDER BY sync_run_id DESC LIMIT 1
        """,
        scope.organization_id,
        connection_id,
        stream,
        run_id,
    )
    return Reconciliation(**row) if row else None


async def _keep(scope: Scope, run_id: UUID, connection_id: UUID, stream: str, values: Mapping[str, object]) -> Reconciliation:
    places = ", ".join(f"${place}" for place in range(5, 5 + len(values)))
    rows = await fetch(
        scope,
        f"""
        INSERT INTO reconciliation (organization_id, sync_run_id, connection_id, stream, {", ".join(values)})
        VALUES ($1, $2, $3, $4, {places})
        ON CONFLICT (organization_id, sync_run_id, stream) DO UPDATE SET compared_at = now(),
            {", ".join(f"{name} = excluded.{name}" for name in values)}
        RETURNING {_COLUMNS}
        """,
        scope.organization_id,
        run_id,
        connection_id,
        stream,
        *values.values(),
    )
    return Reconciliation(**rows[0])


async def _tell(scope: Scope, title: str, found: Reconciliation, mail: MailService) -> None:
    named = [f"{kind.replace('_', ' ')}: {', '.join(ids)}" for kind, ids in found.examples.items() if ids]
    await mail.tell_operators(
        scope,
        subject=f"{title} are out of step",
        body=f"A complete scan of {title} found {found.sentence}, of {found.seen} objects at the provider and {found.mapped} mapped here. "
        f"Some of them by the provider's ids:\n\n" + "\n".join(named) + "\n\nYou hear of this again when the figures change.",
        purpose=f"drift:{found.connection_id}:{found.stream}",
        once_per=TOLD_ONCE_PER,
    )
