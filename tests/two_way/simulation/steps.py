"""What may happen next: somebody edits, a worker runs, dies or stands still, the provider misbehaves, a bell rings late."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from app.conflicts.models import DELETED
from app.connectors.errors import ConnectorError
from app.errors import Refusal
from tests.two_way.simulation.trouble import Trouble, trouble
from tests.two_way.simulation.world import FIELDS, HOT, Side, World

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop-answer"},
    {"kind": "drop-request"},
    {"kind": "cut"},
    {"kind": "slow", "milliseconds": 5},
    {"kind": "500"},
    {"kind": "500", "after_work": True},
    {"kind": "maintenance"},
    {"kind": "opr-1"},
    {"kind": "opr-1", "after_work": True},
    {"kind": "opr-3"},
    {"kind": "opr-5"},
    {"kind": "duplicate-row"},
    {"kind": "malformed-json"},
)
BOTH_WAYS = ("pull", "push", "two_way")


async def step(world: World, more: Mapping[str, int] | None = None) -> None:
    """Something happens; `more` makes some of it likelier: names with their weights."""
    weights = [(more or {}).get(way.__name__, 1 if more else weight) for way, weight in STEPS]
    way = world.chance.choices([way for way, _ in STEPS], weights)[0]
    world.counts[way.__name__] += 1
    world.log.append(way.__name__)
    await way(world)
    await world.look_at_conflicts()


# People.


async def edit_in_hub(world: World, record_id: UUID | None = None, name: str = "") -> None:
    record = await world.hub.records.get(world.operator, record_id) if record_id else await world.record()
    name = name or world.chance.choice(list(FIELDS))
    text = world.text(f"hub {record.id} {name}", str(record.data.get(name, "")))
    try:
        await world.hub.edits.update(world.operator, record.id, version=record.version, changes={name: text})
    except Refusal:
        del world.written[text]


async def take_back(world: World) -> None:
    """Somebody puts back what was there before the hub's last edit, as soon as it is on its way if something is."""
    living, in_hand = await world.records(), await world.in_hand()
    edited = [(record, name, before) for record in living for name in FIELDS if (before := world.before(record, name))]
    if not edited:
        return
    record, name, before = world.chance.choice([one for one in edited if one[0].id in in_hand] or edited)
    with suppress(Refusal):
        await world.hub.edits.update(world.operator, record.id, version=record.version, changes={name: before})
        del world.written[record.data[name]]  # who took it back saw it; what is back must not get lost
        world.taken_back.add((before, record.data[name]))


async def edit_at_provider(world: World) -> None:
    side = world.side()
    hot = list(await world.hot_counterparts(side)) if world.chance.random() < 0.8 else []
    await _edit_there(world, side, world.chance.choice(hot or side.ids), world.chance.choice(list(FIELDS)))


async def edit_on_both_sides(world: World) -> None:
    """Two people correct the same field of the same contact, and neither knows of the other."""
    side, name = world.side(), world.chance.choice(list(FIELDS))
    hot = await world.hot_counterparts(side)
    if hot:
        mk_id = world.chance.choice(list(hot))
        await edit_in_hub(world, hot[mk_id], name)
        await _edit_there(world, side, mk_id, name)


async def _edit_there(world: World, side: Side, mk_id: str, name: str) -> None:
    partner = await side.partner(mk_id)
    contact = partner["partner_contact_list"][0] if isinstance(partner.get("partner_contact_list"), list) else {}
    before = partner["customer"] if name == "name" else str(contact.get(FIELDS[name], ""))
    text = world.text(f"provider {side.company_id} {mk_id} {name}", before)
    change = {"customer": text} if name == "name" else {"partner_contact_list": [{**contact, FIELDS[name]: text}]}
    await side.office.sandbox.control("POST", f"partners/{mk_id}", change, company_id=side.company_id)


async def add_in_hub(world: World) -> None:
    name = world.text("hub new name", "")
    address = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
    await world.sides[0].office.create(name, tax_number=f"{world.chance.randrange(10**8):08d}", address=address)


async def delete_in_hub(world: World) -> None:
    """Somebody who sees the record deletes it; the policy leaves what the providers have."""
    record = world.chance.choice(await world.records())
    with suppress(Refusal):
        await world.hub.edits.delete(world.operator, record.id, version=record.version)
        world.give_up(*record.data.values())


async def delete_at_provider(world: World) -> None:
    side = world.side()
    mk_id = world.chance.choice(side.ids[HOT:] or side.ids)
    partner = await side.partner(mk_id)
    contact = (partner.get("partner_contact_list") or [{}])[0]
    await side.office.sandbox.control("DELETE", f"partners/{mk_id}", company_id=side.company_id)
    side.ids.remove(mk_id)
    world.give_up(partner["customer"], contact.get("phone"), contact.get("gsm"))


async def merge_contacts(world: World) -> None:
    """Somebody finds two contacts to be one and chooses, field by field, what stays."""
    survivor, loser = world.chance.sample(await world.records(), 2)
    chosen = {name: world.chance.choice(["survivor", "loser"]) for name in FIELDS}
    versions = {record.id: record.version for record in (survivor, loser)}
    with suppress(Refusal):
        await world.hub.merges.merge(world.operator, survivor.id, loser.id, chosen, versions=versions)
        world.merged.append(loser.id)
        world.counts["merges"] += 1
        world.give_up(*((survivor if side == "loser" else loser).data.get(name) for name, side in chosen.items()))


async def unmerge_contacts(world: World) -> None:
    if not world.merged:
        return
    loser = world.merged.pop(world.chance.randrange(len(world.merged)))
    with suppress(Refusal):
        await world.hub.merges.unmerge(world.operator, loser)
        world.counts["merges taken back"] += 1


async def resolve(world: World) -> None:
    for side in world.sides:
        for conflict in (await side.office.conflicts())[:2]:
            await resolve_one(world, conflict)


async def resolve_one(world: World, conflict: Any) -> None:
    resolution = world.chance.choice(["ours", "theirs"])
    record = await world.hub.records.get(world.operator, conflict.record_id)
    with suppress(Refusal):
        await world.hub.conflicts.resolve(world.operator, conflict.id, resolution=resolution)
        world.counts["conflicts resolved"] += 1
        if conflict.field == DELETED:  # all of the record was shown, and goes or stays as a whole
            world.counts["conflicts of deletions resolved"] += 1
            world.give_up(*record.data.values())


# Workers.


async def run(world: World) -> None:
    await world.calm_run(world.side(), world.chance.choice(BOTH_WAYS))


async def troubled_run(world: World) -> None:
    """The provider misbehaves while a run goes on; two workers are rung for it."""
    side, fault = world.side(), world.chance.choice(FAULTS)
    await side.office.sandbox.fault(**fault, times=world.chance.randint(1, 3), skip=world.chance.randint(0, 4))
    run_id = await world.start(side, world.chance.choice(BOTH_WAYS))
    await asyncio.gather(*(world.advance(run_id) for _ in range(2)))
    await world.tick()
    await world.advance(run_id)
    await side.office.sandbox.clear_faults()
    await world.tick()


async def stale_pull(world: World) -> None:
    """A pull is shown what the provider had before its last write: it comes late."""
    side = world.side()
    await world.calm_run(side, "pull")  # a run that was left behind may write, and must not be shown the past right before
    await side.office.sandbox.fault("stale-read", times=world.chance.randint(1, 2), skip=world.chance.randint(0, 2))
    world.counts["stale"] += 1
    await world.calm_run(side, "pull")
    await side.office.sandbox.clear_faults()


async def crashed_run(world: World) -> None:
    """A worker dies somewhere; another one goes on once the lease has run out."""
    run_id = await world.start(world.side(), world.chance.choice(BOTH_WAYS))
    mine = Trouble(crash_in=_soon(world))
    await world.worker(run_id, mine)
    world.counts["crash"] += mine.is_dead
    await world.tick()
    if world.chance.random() < 0.7:
        await world.advance(run_id)


async def frozen_run(world: World) -> None:
    """A worker stands still for longer than its lease, in the middle of what waits; another one takes over; the first one wakes up."""
    await add_in_hub(world)
    for _ in range(2):
        await edit_in_hub(world)
    side = world.chance.choices(world.sides, [2, 1])[0]
    run_id = await world.start(side, world.chance.choice(["push", "push", "two_way"]))
    mine = Trouble(freeze_in=_soon(world))
    frozen = asyncio.create_task(world.worker(run_id, mine))
    if await mine.until_frozen(frozen):
        world.counts["freeze"] += 1
        in_hand = await world.in_hand()
        await world.tick()
        await world.advance(run_id)
        for record_id in in_hand:
            await edit_in_hub(world, record_id)
        other = await world.start(world.side(), "push")
        await world.tick()
        await world.advance(other)
    mine.thaw.set()
    await frozen
    await world.tick()


async def push_one(world: World) -> None:
    """Somebody asks for one record to be brought over; the bell rings three times."""
    record = await world.record()
    with suppress(Refusal):
        await world.push_one(record.id, world.side(), bells=3)


async def edit_push_and_edit_again(world: World) -> None:
    """Somebody corrects a field, has it brought over, and corrects it once more."""
    record, name = await world.record(), world.chance.choice(list(FIELDS))
    await edit_in_hub(world, record.id, name)
    with suppress(Refusal):
        await world.push_one(record.id, world.side())
    await edit_in_hub(world, record.id, name)


async def push_while_a_page_is_on_its_way(world: World) -> None:
    """A run has read a page and not yet written it when somebody edits a record on it and has it brought over."""
    side = world.side()
    run_id = await world.start(side, "pull")
    await world.tick()
    mine = Trouble(freeze_in=3)  # the connection's check is asked and answered, the page is asked and answered
    reading = asyncio.create_task(world.worker(run_id, mine))
    await _edit_and_push_meanwhile(world, side, mine, reading, "page on its way")


async def event_on_its_way(world: World) -> None:
    """An object is asked for by its id, as an event would have it; before the answer is stored, a later change overtakes it."""
    side = world.side()
    mk_id, mine = world.chance.choice(side.ids), Trouble(freeze_in=1)
    token = trouble.set(mine)
    reading = asyncio.create_task(_import(world, side, mk_id))
    trouble.reset(token)
    await _edit_and_push_meanwhile(world, side, mine, reading, "event on its way")


async def event(world: World) -> None:
    """The same event comes twice at once."""
    side = world.side()
    mk_id = world.chance.choice(side.ids)
    await asyncio.gather(*(_import(world, side, mk_id) for _ in range(2)))


async def _import(world: World, side: Side, mk_id: str) -> None:
    with suppress(Refusal, ConnectorError):
        await world.hub.imports.one(world.operator, side.office.connection.id, "partners", mk_id)


async def _edit_and_push_meanwhile(world: World, side: Side, mine: Trouble, reading: "asyncio.Task[None]", name: str) -> None:
    if await mine.until_frozen(reading):
        world.counts[name] += 1
        record = await world.record()
        await edit_in_hub(world, record.id)
        with suppress(Refusal):
            await world.push_one(record.id, side)
    mine.thaw.set()
    await reading


async def late_bells(world: World) -> None:
    """Bells of long ago come again, in another order."""
    for kind, id in world.chance.sample(world.rung, min(4, len(world.rung))):
        advance = world.hub.syncs.advance if kind == "run" else world.hub.pushes.send
        await advance(world.operator.organization_id, id)
        world.counts["bells that came late"] += 1


async def flush_redis(world: World) -> None:
    await world.hub.redis.flushdb()


def _soon(world: World) -> int:
    """After how many requests, answers and COMMITs something happens: mostly few, for most runs are short."""
    return int(world.chance.expovariate(1 / 10))


STEPS = (
    (edit_in_hub, 20),
    (edit_at_provider, 20),
    (edit_on_both_sides, 6),
    (take_back, 6),
    (run, 14),
    (troubled_run, 16),
    (crashed_run, 12),
    (frozen_run, 6),
    (push_one, 8),
    (edit_push_and_edit_again, 4),
    (push_while_a_page_is_on_its_way, 5),
    (event, 3),
    (event_on_its_way, 3),
    (late_bells, 3),
    (stale_pull, 2),
    (resolve, 8),
    (add_in_hub, 2),
    (delete_in_hub, 1),
    (delete_at_provider, 1),
    (merge_contacts, 2),
    (unmerge_contacts, 2),
    (flush_redis, 1),
)
