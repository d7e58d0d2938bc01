"""How long the hub keeps what piles up. History of records, decisions and the audit log are kept for good.

Rows go in batches, each in its own short transaction, so that deleting never stands in the way of work.
"""

from dataclasses import dataclass
from uuid import UUID

from app.actors import Scope
from app.database import execute, transaction

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows of a table go when `column` is `days` old, unless `unless` holds."""

    table: str
    column: str
    days: int
    unless: str = "false"


_IN_HAND = """EXISTS (SELECT FROM plan JOIN sync_run AS run ON run.organization_id = plan.organization_id AND run.id = plan.applied_run_id
    WHERE plan.organization_id = {0}.organization_id AND plan.id = {0}.plan_id AND run.status IN ('queued', 'running', 'cancelling'))"""
"""A plan that is being applied."""
RETENTIONS = (
    # A subscriber that comes back after a month still learns of each subject's latest change.
    Retention(
        "event",
        "happened_at",
        30,
        """NOT EXISTS (SELECT FROM event AS later WHERE later.organization_id = event.organization_id
           AND later.topic = event.topic AND later.subject_id = event.subject_id AND later.sequence > event.sequence)""",
    ),
    Retention("provider_call", "called_at", 30),
    Retention("idempotency_key", "created_at", 3),
    Retention("sign_in_link", "expires_at", 30),
    Retention("session", "expires_at", 30),
    Retention("mail", "created_at", 90, "status = 'queued'"),
    Retention("sync_page", "committed_at", 30),
    Retention("plan_item", "created_at", 30, _IN_HAND.format("plan_item")),
    Retention("plan_part", "created_at", 30, _IN_HAND.format("plan_part")),
    Retention("failed_record", "resolved_at", 180, "resolved_at IS NULL"),
)


async def forget_old(organization_id: UUID) -> int:
    """Delete what is past its time in one organization. Returns how many rows that were."""
    return sum([await _forget(Scope(organization_id), retention) for retention in RETENTIONS])


async def _forget(scope: Scope, retention: Retention) -> int:
    total = 0
    while True:
        async with transaction(scope):
            deleted = await execute(
                scope,
                f"""
                DELETE FROM {retention.table} WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM {retention.table}
                    WHERE organization_id = $1 AND {retention.column} < now() - make_interval(days => $2) AND NOT ({retention.unless})
                    LIMIT {BATCH}))
                """,
                scope.organization_id,
                retention.days,
            )
        total += deleted
        if deleted < BATCH:
            return total
