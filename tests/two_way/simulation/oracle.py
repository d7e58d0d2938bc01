"""What must be true once trouble has ended and everybody has decided: both sides agree, nothing was lost, nothing was done twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.connectors.sandbox_kit.running import ControlRefused
from app.database import fetch
from tests.two_way.simulation import steps
from tests.two_way.simulation.world import Side, World

ROUNDS = 14
"""In which the world must come to rest."""


async def settle(world: World) -> None:
    """Trouble ends; everything that waits is done, every conflict is resolved."""
    for side in world.sides:
        await side.office.sandbox.clear_faults()
    for _ in range(ROUNDS):
        runs = [await world.calm_run(side, "two_way") for side in world.sides]
        await _sweep(world)
        for side in world.sides:
            for conflict in await side.office.conflicts():
                await steps.resolve_one(world, conflict)
        quiet = all(run.counts.created + run.counts.updated + run.counts.deleted == 0 for run in runs)
        if quiet and not await _waiting(world):
            return
    raise AssertionError(f"The world does not come to rest: {await _waiting(world)}, {[run.error_message or run.message for run in runs]}")


async def _sweep(world: World) -> None:
    """What a worker's sweeper rings for."""
    scope = world.operator.scope
    due = "SELECT id FROM delivery WHERE organization_id = $1 AND record_id IS NOT NULL AND status IN ('queued', 'sending')"
    for row in await fetch(scope, due, scope.organization_id):
        await world.hub.pushes.send(scope.organization_id, row["id"])


async def _waiting(world: World) -> list[dict[str, Any]]:
    scope = world.operator.scope
    rows = await fetch(
        scope,
        """
        SELECT 'mapping' AS kind, external_id AS what, status, last_error AS error FROM mapping
        WHERE organization_id = $1 AND status NOT IN ('synced', 'deleted')
        UNION ALL SELECT 'delivery', id::text, status, error_message FROM delivery
        WHERE organization_id = $1 AND status IN ('queued', 'sending')
        """,
        scope.organization_id,
    )
    return [dict(row) for row in rows]


@dataclass
class Counterpart:
    """A record and its partner at one side, as they are in the end."""

    mk_id: str
    record_id: UUID
    status: str
    here: dict[str, Any] | None
    """None: deleted, or merged into another one."""
    there: dict[str, Any] | None
    """None: deleted there."""

    def shown(self) -> dict[str, str]:
        """The edited fields as the provider shows them."""
        if self.there is None:
            return {}
        contact = (self.there.get("partner_contact_list") or [{}])[0]
        return {"name": self.there["customer"], "phone": contact.get("phone", ""), "mobile": contact.get("gsm", "")}


async def verdict(world: World) -> list[str]:
    """What is wrong; nothing, if all laws were kept."""
    found = {side.company_id: await _counterparts(world, side) for side in world.sides}
    wrong: list[str] = []
    for side in world.sides:
        wrong += [*_disagreements(side, found[side.company_id]), *await _doubles(world, side, found[side.company_id])]
    return [*wrong, *await _lost(world, [one for ones in found.values() for one in ones]), *_echoes(world)]


async def _counterparts(world: World, side: Side) -> list[Counterpart]:
    rows = await fetch(
        world.operator.scope,
        """
        SELECT m.external_id, m.record_id, m.status, r.data, r.deleted_at IS NULL AS lives
        FROM mapping m JOIN record r ON r.organization_id = m.organization_id AND r.id = m.record_id
        WHERE m.organization_id = $1 AND m.connection_id = $2 AND m.stream = 'partners'
        """,
        world.operator.organization_id,
        side.office.connection.id,
    )
    return [
        Counterpart(
            row["external_id"],
            row["record_id"],
            row["status"],
            row["data"] if row["lives"] else None,
            await _there(side, row["external_id"]),
        )
        for row in rows
    ]


async def _there(side: Side, mk_id: str) -> dict[str, Any] | None:
    try:
        return await side.partner(mk_id)
    except ControlRefused:
        return None


def _disagreements(side: Side, found: Iterable[Counterpart]) -> list[str]:
    """Both sides show the same of everything that lives on both."""
    wrong = []
    for one in found:
        where = f"{side.company_id}/{one.mk_id}"
        if one.here is not None and one.there is None and one.status != "deleted":
            wrong.append(f"{where} is gone there and {one.status} here")
        for name, value in one.shown().items() if one.here is not None else ():
            if one.here.get(name, "") != value:
                wrong.append(f"{where}: {name} is {value!r} there and {one.here.get(name)!r} here")
    return wrong


async def _doubles(world: World, side: Side, found: list[Counterpart]) -> list[str]:
    """No partner was made twice, none is missing, and none got a second contact or address."""
    wrong = []
    made = [
        one["mk_id"]
        for write in await side.office.sandbox.ledger()
        for one in write["effects"]
        if (one["object"], one["effect"]) == ("partner", "created") and write.get("company_id") == side.company_id
    ]
    if strays := set(made) - {one.mk_id for one in found}:
        wrong.append(f"{side.company_id}: {len(strays)} partners were made that belong to no record: {sorted(strays)[:3]}")
    if side.creates and (missing := {record.id for record in await world.records()} - await _provided(world, found)):
        wrong.append(f"{side.company_id} does not have {len(missing)} of the contacts: {sorted(missing)[:3]}")
    for one in found:
        for name in ("partner_contact_list", "partner_delivery_address_list") if one.there else ():
            if len(one.there.get(name) or []) > 1:
                wrong.append(f"{side.company_id}/{one.mk_id} has {len(one.there[name])} of {name}")
    return wrong


async def _provided(world: World, found: Iterable[Counterpart]) -> set[UUID]:
    """The records that have a counterpart, be it by what was merged into them."""
    scope = world.operator.scope
    merged = await fetch(
        scope, "SELECT id, merged_into FROM record WHERE organization_id = $1 AND merged_into IS NOT NULL", scope.organization_id
    )
    into = {row["id"]: row["merged_into"] for row in merged}
    provided = {one.record_id for one in found}
    while more := {into[id] for id in provided & into.keys()} - provided:
        provided |= more
    return provided


def _echoes(world: World) -> list[str]:
    """Nobody is asked about what the hub itself had written, unless the provider showed it late."""
    return [
        f"{theirs!r} came back as if it had been written there over {ours!r}"
        for ours, theirs in world.asked
        if not world.counts["stale"] and _is_echo(world, ours, theirs)
    ]


def _is_echo(world: World, ours: str, theirs: str) -> bool:
    if (ours, theirs) in world.taken_back:
        return True
    _, replaced = world.written.get(ours, ("", ""))
    return replaced == theirs and world.written.get(theirs, ("", ""))[0].startswith("hub")


async def _lost(world: World, found: Iterable[Counterpart]) -> list[str]:
    """Every text is there, or went when somebody saw it, or a conflict shows it."""
    rows = await fetch(
        world.operator.scope, "SELECT base, ours, theirs FROM conflict WHERE organization_id = $1", world.operator.organization_id
    )
    shown = {text for row in rows for value in row.values() for text in _texts(value)}
    replaced = {before for _, before in world.written.values()}
    if world.counts[
        "stale"
    ]:  # where a provider shows its past, what was taken back looks as if it had never gone, and then as changed anew
        replaced |= {before for before, _ in world.taken_back}
    there = {text for record in await world.records() for text in _texts(record.data)} | {
        text for one in found for text in one.shown().values()
    }
    return [
        f"{text!r} ({where}) is gone without a trace"
        for text, (where, _) in world.written.items()
        if text not in shown | replaced | there | world.given_up
    ]


def _texts(value: Any) -> Iterable[str]:
    """The texts in a field, or in a whole record."""
    if isinstance(value, dict):
        return (text for text in value.values() if isinstance(text, str))
    return (value,) if isinstance(value, str) else ()
