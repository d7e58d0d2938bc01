"""A connection with weeks behind it: runs of earlier days, copied from one that really ran."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from app.actors import Actor
from app.bootstrap import Hub
from app.database import execute, transaction
from app.paging import PageRequest

_COPY = """
    WITH run AS (
        INSERT INTO sync_run (id, organization_id, connection_id, mode, status, requested_by, progress, created_at, started_at, finished_at)
        SELECT $3, organization_id, connection_id, mode, $6, requested_by, 100, $4, $4, $5 FROM sync_run
        WHERE organization_id = $1 AND id = $2)
    INSERT INTO sync_run_stream (organization_id, sync_run_id, connection_id, stream, lock_stream, direction, position, status, active,
        read, created, updated, unchanged, deleted, failed)
    SELECT organization_id, $3, connection_id, stream, lock_stream, direction, position, status, false, $7, $8, $9, $10, $11, $12
    FROM sync_run_stream WHERE organization_id = $1 AND sync_run_id = $2 AND position = 1
"""


async def give_past(hub: Hub, owner: Actor, connection_id: UUID, *, days: int, seed: int = 4) -> None:
    """Four runs on most of the days before today, of which some fail; the same each time."""
    (run, *_) = (await hub.syncs.runs(owner, PageRequest(1), connection_id=connection_id)).items
    chance = random.Random(seed)
    for back in range(1, days):
        for number in range(0 if back % 9 == 4 else 4):
            await _copy(owner, run.id, hub.now() - timedelta(days=back, hours=number), chance)


async def _copy(owner: Actor, run_id: UUID, moment: datetime, chance: random.Random) -> None:
    copied = UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | chance.getrandbits(60))
    status = chance.choices(("completed", "partially_completed", "failed", "cancelled"), (40, 4, 2, 1))[0]
    read, failed = chance.randrange(400, 2000), chance.randrange(1, 40) if status == "partially_completed" else 0
    created, updated, deleted = chance.randrange(60), chance.randrange(200), chance.choice((0, 0, 0, 12))
    seconds = chance.uniform(20, 90)
    async with transaction(owner.scope):
        values = (read, created, updated, read - created - updated - failed, deleted, failed)
        ended = moment + timedelta(seconds=seconds)
        await execute(owner.scope, _COPY, owner.organization_id, run_id, copied, moment, ended, status, *values)
