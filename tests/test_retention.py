"""What piles up goes in time; what proves something stays."""

from app.actors import Actor
from app.bootstrap import Hub
from app.database import execute, fetch_value, transaction
from app.ids import new_id
from app.retention import RETENTIONS, forget_old


async def _publish(hub: Hub, actor: Actor, subject: object, revisions: int) -> None:
    for revision in range(revisions):
        async with transaction(actor.scope):
            await hub.feed.publish(actor.scope, topic="quote", subject_id=subject, revision=revision)


async def test_old_events_go_but_each_subjects_latest_and_the_audit_log_stay(hub: Hub, owner: Actor):
    subjects = [new_id(), new_id()]
    for subject in subjects:
        await _publish(hub, owner, subject, 3)
    async with transaction(owner.scope):
        await execute(
            owner.scope, "UPDATE event SET happened_at = now() - interval '40 days' WHERE organization_id = $1", owner.organization_id
        )
    await _publish(hub, owner, subjects[0], 1)
    audited = (await hub.audit.verify(owner.organization_id)).entries

    forgotten = await forget_old(owner.organization_id)

    left = "SELECT count(*) FROM event WHERE organization_id = $1 AND subject_id = $2"
    assert [await fetch_value(owner.scope, left, owner.organization_id, subject) for subject in subjects] == [1, 1]
    assert forgotten >= 5
    assert (await hub.audit.verify(owner.organization_id)).entries == audited > 0


async def test_everything_that_is_forgotten_can_be(hub: Hub, owner: Actor):
    assert await forget_old(owner.organization_id) == 0
    assert len({retention.table for retention in RETENTIONS}) == len(RETENTIONS)
