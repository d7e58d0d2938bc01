"""The sweeper: rings for whatever is due. Any number of workers may sweep at once.

Postgres is the truth and Redis the doorbell: after a crash, a flush or a restart of Redis, everything that is due is
rung for again within a few seconds. What is due is listed across organizations by the system role, which can do no more.
"""

import asyncio
import math
import random
from uuid import UUID

import structlog

from app.bootstrap import Hub
from app.database import end_half_statements, system_fetch
from app.deliveries.repository import LINE
from app.deliveries.rules import AT_ONCE
from app.retention import forget_old

SWEEP_SECONDS = 2.0
TIDY_SECONDS = 3600.0
_LIMIT = 200

logger = structlog.get_logger(__name__)

# Of the deliveries of a connection only those whose turn it is: ringing for the others costs work and changes nothing.
_DUE = {
    "advance_run": f"""
        SELECT organization_id, id, fence, greatest(next_attempt_at, lease_expires_at) AS due_at FROM sync_run
        WHERE status IN ('queued', 'running', 'cancelling') AND next_attempt_at <= now()
          AND (lease_expires_at IS NULL OR lease_expires_at < now())
        ORDER BY next_attempt_at LIMIT {_LIMIT}""",
    "deliver": f"""
        SELECT organization_id, id, fence, due_at FROM ({LINE}) AS line
        WHERE is_free AND place <= {AT_ONCE} ORDER BY place, next_attempt_at LIMIT {_LIMIT}""",
    "push_record": f"""
        SELECT organization_id, id, fence, greatest(next_attempt_at, lease_expires_at) AS due_at FROM delivery
        WHERE record_id IS NOT NULL AND status IN ('queued', 'sending') AND next_attempt_at <= now()
          AND (lease_expires_at IS NULL OR lease_expires_at <= now()) ORDER BY next_attempt_at LIMIT {_LIMIT}""",
    "release_deletions": f"""
        SELECT organization_id, id, looked_at AS fence, next_attempt_at AS due_at FROM quarantine
        WHERE status = 'releasing' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT {_LIMIT}""",
    "send_mail": f"""
        SELECT organization_id, id, 0 AS fence, next_attempt_at AS due_at FROM mail
        WHERE status = 'queued' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT {_LIMIT}""",
}

_DUE_SYNCS = f"""
    SELECT organization_id, id FROM sync WHERE enabled AND deleted_at IS NULL AND next_due_at <= now()
    ORDER BY next_due_at LIMIT {_LIMIT}"""


async def sweep_forever(hub: Hub) -> None:
    """Sweep every two seconds; a database that is away is waited for."""
    while True:
        try:
            await sweep(hub)
        except Exception as error:  # whatever it is, sweeping must go on
            logger.warning("sweeping failed", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(SWEEP_SECONDS)


async def sweep(hub: Hub) -> None:
    """Ring for due runs, deliveries, releases and mails, start due syncs, and free what a frozen worker has locked."""
    for job, sql in _DUE.items():
        for row in await system_fetch(sql):
            waited = (hub.now() - row["due_at"]).total_seconds()
            await hub.queue.ring(job, row["organization_id"], row["id"], attempt=row["fence"], knock=knock(waited))
    for row in await system_fetch(_DUE_SYNCS):
        await _start_due(hub, row["organization_id"], row["id"])
    if cut := await end_half_statements():
        logger.warning("sessions of a frozen process were ended", sessions=cut)


async def tidy_forever() -> None:
    """Once an hour, forget what is past its time, one organization after the other."""
    while True:
        await asyncio.sleep(TIDY_SECONDS * random.uniform(0.5, 1.5))  # so that many workers do not begin at once
        try:
            for row in await system_fetch("SELECT id FROM organization"):
                await forget_old(row["id"])
        except Exception as error:  # the next hour comes
            logger.warning("tidying failed", error=f"{type(error).__name__}: {error}")


def knock(waited_seconds: float) -> int:
    """Which ring this is for something that has been due for so long: a new one after 5, 15, 35, 75 … seconds.

    A worker that died between taking a job from arq and taking its lease leaves arq's own lock behind for two minutes;
    rings of the same number would be swallowed. Rarer and rarer rings keep a long queue from growing.
    """
    return int(math.log2(1 + max(waited_seconds, 0.0) / 5))


async def _start_due(hub: Hub, organization_id: UUID, sync_id: UUID) -> None:
    try:
        await hub.schedules.start_due(organization_id, sync_id)
    except Exception as error:  # it stays due; the others must not wait for it
        logger.warning("a due sync was not started", sync_id=str(sync_id), error=f"{type(error).__name__}: {error}")
