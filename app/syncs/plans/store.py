"""Every query on plans: making and reading them, their status."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from app.actors import Scope
from app.connectors.base import State
from app.database import execute, fetch, fetch_row, fetch_value
from app.syncs.plans.models import KindCount, Moved, Plan, PlanItem

_PLAN = ", ".join(field.name for field in fields(Plan))
_ITEM = ", ".join(field.name for field in fields(PlanItem))


async def add(
    scope: Scope, plan_id: UUID, connection_id: UUID, *, kind: str, run_id: UUID, undoes_run_id: UUID | None, requested_by: str
) -> None:
    """A plan that its run is going to make."""
    await execute(
        scope,
        """
        INSERT INTO plan (organization_id, id, connection_id, kind, run_id, undoes_run_id, requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        scope.organization_id,
        plan_id,
        connection_id,
        kind,
        run_id,
        undoes_run_id,
        requested_by,
    )


async def get(scope: Scope, plan_id: UUID, *, lock: bool = False) -> Plan | None:
    row = await fetch_row(
        scope,
        f"SELECT {_PLAN} FROM plan WHERE organization_id = $1 AND id = $2 {'FOR NO KEY UPDATE' if lock else ''}",
        scope.organization_id,
        plan_id,
    )
    return Plan(**row) if row else None


async def get_many(scope: Scope, plan_ids: Sequence[UUID]) -> list[Plan]:
    rows = await fetch(
        scope, f"SELECT {_PLAN} FROM plan WHERE organization_id = $1 AND id = ANY($2::uuid[])", scope.organization_id, list(plan_ids)
    )
    return [Plan(**row) for row in rows]


async def page(scope: Scope, *, first: int, after: UUID | None, connection_id: UUID | None, undoes_run_id: UUID | None) -> list[Plan]:
    """Plans, newest first; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_PLAN} FROM plan
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR connection_id = $3)
          AND ($4::uuid IS NULL OR undoes_run_id = $4)
        ORDER BY id DESC LIMIT $5
        """,
        scope.organization_id,
        after,
        connection_id,
        undoes_run_id,
        first + 1,
    )
    return [Plan(**row) for row in rows]


async def items(scope: Scope, plan_id: UUID, *, first: int, after: UUID | None, kind: str | None, changes_only: bool) -> list[PlanItem]:
    """A plan's items in their order; one more than `first`."""
    rows = await fetch(
        scope,
        f"""
        SELECT {_ITEM} FROM plan_item
        WHERE organization_id = $1 AND plan_id = $2 AND ($3::uuid IS NULL OR id > $3)
          AND ($4::text IS NULL OR kind = $4) AND (NOT $5 OR kind <> 'refresh')
        ORDER BY id LIMIT $6
        """,
        scope.organization_id,
        plan_id,
        after,
        kind,
        changes_only,
        first + 1,
    )
    return [PlanItem(**row) for row in rows]


async def counts(scope: Scope, plan_id: UUID) -> list[KindCount]:
    """How many items of each kind a plan has, and how many of them go."""
    rows = await fetch(
        scope,
        """
        SELECT kind, count(*) AS items, count(*) FILTER (WHERE status <> 'applied' AND NOT is_optional AND kind <> 'remain') AS selected,
            count(*) FILTER (WHERE status = 'applied') AS applied
        FROM plan_item WHERE organization_id = $1 AND plan_id = $2 GROUP BY kind ORDER BY kind
        """,
        scope.organization_id,
        plan_id,
    )
    return [KindCount(**row) for row in rows]


async def note_terms(scope: Scope, plan_id: UUID, stream: str, terms: Mapping[str, Any]) -> None:
    """What counts for a stream while it is planned."""
    await execute(
        scope,
        """
        UPDATE plan SET terms = terms || jsonb_build_object($3::text, coalesce(terms -> $3, '{}') || $4::jsonb)
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        plan_id,
        stream,
        terms,
    )


async def count_unchanged(scope: Scope, plan_id: UUID, number: int) -> None:
    await execute(
        scope,
        "UPDATE plan SET unchanged = unchanged + $3 WHERE organization_id = $1 AND id = $2 AND $3 > 0",
        scope.organization_id,
        plan_id,
        number,
    )


async def effort(scope: Scope, plan_id: UUID) -> tuple[int, int]:
    """How many requests to the provider all items take, and how many items are written without any."""
    row = await fetch_row(
        scope,
        """
        SELECT coalesce(sum(calls), 0)::integer AS calls, count(*) FILTER (WHERE calls = 0)::integer AS items
        FROM plan_item WHERE organization_id = $1 AND plan_id = $2
        """,
        scope.organization_id,
        plan_id,
    )
    assert row is not None
    return row["calls"], row["items"]


async def draft(scope: Scope, plan_id: UUID, *, calls: int, seconds: float) -> None:
    """The plan is made: somebody may look at it and apply it."""
    await execute(
        scope,
        """
        UPDATE plan SET status = 'drafted', drafted_at = now(), provider_calls = $3, seconds = $4
        WHERE organization_id = $1 AND id = $2 AND status = 'making'
        """,
        scope.organization_id,
        plan_id,
        calls,
        seconds,
    )


async def begin(scope: Scope, plan_id: UUID, run_id: UUID, *, chosen_only: bool, by: str) -> None:
    """The run applies it, or the items of it that were chosen."""
    await execute(
        scope,
        """
        UPDATE plan SET status = 'applying', applied_run_id = $3, chosen_only = $4, decided_by = $5, decided_at = now(), error = NULL
        WHERE organization_id = $1 AND id = $2
        """,
        scope.organization_id,
        plan_id,
        run_id,
        chosen_only,
        by,
    )


async def end(scope: Scope, plan_id: UUID) -> None:
    """What was to be applied is; a plan of which something may still be chosen is a draft again."""
    await execute(
        scope,
        """
        UPDATE plan SET chosen_only = false, status = CASE WHEN EXISTS (
                SELECT FROM plan_item WHERE organization_id = $1 AND plan_id = $2 AND status <> 'applied' AND kind <> 'remain')
            THEN 'drafted' ELSE 'applied' END
        WHERE organization_id = $1 AND id = $2 AND status = 'applying'
        """,
        scope.organization_id,
        plan_id,
    )


async def settle(scope: Scope, run_id: UUID) -> None:
    """The run has failed or was cancelled: the plan that it made failed with it, one that it applied can be applied further."""
    await execute(
        scope,
        """
        WITH ended AS (
            UPDATE plan SET status = CASE plan.status WHEN 'making' THEN 'failed' ELSE 'drafted' END, chosen_only = false,
                error = jsonb_build_object(
                    'code', coalesce(run.error_code, 'cancelled'), 'fix_by', coalesce(run.fix_by, 'customer'), 'message',
                    coalesce(run.error_message, CASE plan.status WHEN 'making' THEN 'Making' ELSE 'Applying' END || ' it was cancelled.'))
            FROM sync_run AS run
            WHERE run.organization_id = $1 AND run.id = $2 AND run.status IN ('failed', 'cancelled')
              AND plan.organization_id = $1 AND plan.id = run.plan_id
              AND plan.status = CASE run.task WHEN 'plan' THEN 'making' ELSE 'applying' END
            RETURNING plan.id)
        UPDATE plan_item SET status = 'planned' FROM ended
        WHERE organization_id = $1 AND plan_id = ended.id AND plan_item.status = 'chosen'
        """,
        scope.organization_id,
        run_id,
    )


async def mark_outdated(scope: Scope, plan_id: UUID, moved: Sequence[Moved]) -> None:
    await execute(
        scope,
        "UPDATE plan SET status = 'outdated', moved = $3 WHERE organization_id = $1 AND id = $2 AND status IN ('drafted', 'applying')",
        scope.organization_id,
        plan_id,
        [asdict(one) for one in moved],
    )


async def dismiss(scope: Scope, plan_id: UUID, by: str) -> None:
    await execute(
        scope,
        "UPDATE plan SET status = 'dismissed', decided_by = $3, decided_at = now() WHERE organization_id = $1 AND id = $2",
        scope.organization_id,
        plan_id,
        by,
    )


async def keep_state(scope: Scope, plan: Plan, run_id: UUID, stream: str, saved: State | None) -> None:
    """The walk of the plan's run becomes the saved one, unless another walk has been saved since it began."""
    await execute(
        scope,
        """
        INSERT INTO stream_state (organization_id, connection_id, stream, state, sync_run_id)
        SELECT $1, connection_id, stream, state, $4 FROM sync_run_stream
        WHERE organization_id = $1 AND sync_run_id = $2 AND stream = $3 AND direction = 'pull' AND state IS NOT NULL
          AND (SELECT state FROM stream_state WHERE organization_id = $1 AND connection_id = sync_run_stream.connection_id AND stream = $3)
              IS NOT DISTINCT FROM $5::jsonb
        ON CONFLICT (organization_id, connection_id, stream)
        DO UPDATE SET state = excluded.state, sync_run_id = excluded.sync_run_id, updated_at = now()
        """,
        scope.organization_id,
        plan.run_id,
        stream,
        run_id,
        saved,
    )


async def set_undone(scope: Scope, run_id: UUID, *, undone: bool) -> tuple[int, float]:
    """A run that was taken back says so, until that is taken back. Returns the run's revision and progress."""
    row = await fetch_row(
        scope,
        """
        UPDATE sync_run SET undone_at = CASE WHEN $3 THEN now() END, revision = revision + 1 WHERE organization_id = $1 AND id = $2
        RETURNING revision, progress::float8 AS progress
        """,
        scope.organization_id,
        run_id,
        undone,
    )
    assert row is not None
    return row["revision"], row["progress"]


async def of_undoing_run(scope: Scope, run_id: UUID) -> UUID | None:
    """The run that this one took back, if it applied a compensating plan."""
    found: UUID | None = await fetch_value(
        scope,
        """
        SELECT plan.undoes_run_id FROM sync_run JOIN plan ON plan.organization_id = $1 AND plan.id = sync_run.plan_id
        WHERE sync_run.organization_id = $1 AND sync_run.id = $2 AND sync_run.task = 'apply'
        """,
        scope.organization_id,
        run_id,
    )
    return found
