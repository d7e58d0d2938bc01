"""Two connections of one organization, their companies at the provider, and what people wrote on either side."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import execute, fetch, transaction
from app.records.models import Record
from app.syncs.models import SyncRun
from app.syncs.service import SyncInProgress
from tests.connectors.metakocka.company import SECOND
from tests.two_way.office import ALL, Office
from tests.two_way.simulation.trouble import Trouble, trouble

FIELDS = {"name": "customer", "phone": "phone", "mobile": "gsm"}
"""The hub's fields that are edited, with the provider's names."""
HOT = 2
"""Of each side's records; four of five edits are of these."""
PARTNERS = (23, 7)
"""Of each side at the start. The first side gets what only the other one has; the other one gets the hot ones of the first."""
PAGE = 10


@dataclass
class Side:
    """A connection, and its company at the provider."""

    office: Office
    company_id: str
    creates: bool
    """Whether a push also makes what the provider does not have yet."""
    ids: list[str] = field(default_factory=list)

    async def partner(self, mk_id: str) -> dict[str, Any]:
        """As the provider's own people see it."""
        return dict(await self.office.sandbox.control("GET", f"partners/{mk_id}", company_id=self.company_id))


class World:
    """One schedule's world."""

    def __init__(self, hub: Hub, operator: Actor, seed: int) -> None:
        self.hub, self.operator, self.seed, self.chance = hub, operator, seed, Random(seed)
        self.sides: list[Side] = []
        self.hot: list[UUID] = []
        """Records that most edits are of, so that they meet."""
        self.texts = 0
        self.written: dict[str, tuple[str, str]] = {}
        """Every text that was written → where, and the text that it replaced, as its author saw it."""
        self.given_up: set[str] = set()
        """Texts that somebody saw and deleted or merged away."""
        self.asked: set[tuple[str, str]] = set()
        """What hub and provider had in fields that somebody was asked about."""
        self.taken_back: set[tuple[str, str]] = set()
        """What the hub shows again, and its own text that had replaced it."""
        self.merged: list[UUID] = []
        """Contacts that are merged into another one now."""
        self.rung: list[tuple[str, UUID]] = []
        """Every bell that was rung: ("run" or "delivery", id). It may come again, late."""
        self.counts: Counter[str] = Counter()
        self.log: list[str] = []
        self.clock = 0.0

    async def open(self, sandbox: RunningSandbox) -> None:
        """Fill both companies and read them."""
        second = {"company_id": SECOND.company_id, "secret_key": SECOND.secret_key}
        for company_id, settings, creates, count in (("16", {}, True, PARTNERS[0]), (SECOND.company_id, second, False, PARTNERS[1])):
            office = await Office.open(self.hub, self.operator, sandbox, page_size=PAGE, **settings)
            side = Side(office, company_id, creates)
            side.ids = [await self._add_partner(side) for _ in range(count)]
            self.sides.append(side)
            await self.calm_run(side, "pull")
            await office.policy(creates_missing=creates)
        for side in self.sides:
            self.hot += [(await side.office.record(mk_id)).id for mk_id in side.ids[:HOT]]
        for record_id in self.hot[:HOT]:
            await self.push_one(record_id, self.sides[1])

    async def _add_partner(self, side: Side) -> str:
        name = self.text(f"provider {side.company_id}", "")
        number = f"SI{self.chance.randrange(10**8):08d}"
        values = {
            "customer": name,
            "business_entity": "true",
            "buyer": "true",
            "tax_id_number": number,
            "partner_delivery_address_list": [
                {"address_type": "Račun", "street": "Dunajska 1", "post_number": "1000", "city": "Ljubljana", "country": "Slovenija"}
            ],
            "partner_contact_list": [{"name": "Ana", "phone": "1", "gsm": "2", "email": f"{number}@acme.test"}],
        }
        found = await side.office.sandbox.control("POST", "partners", values, company_id=side.company_id)
        return str(found["mk_id"])

    def text(self, where: str, replaced: str) -> str:
        """A text that nobody wrote before."""
        self.texts += 1
        text = f"{self.seed}-{self.texts} ž"
        self.written[text] = (where, replaced)
        return text

    def before(self, record: Record, name: str) -> str:
        """What the hub's own text in this field had replaced; "" where somebody else wrote it."""
        where, before = self.written.get(record.data.get(name, ""), ("", ""))
        return before if where == f"hub {record.id} {name}" else ""

    def give_up(self, *values: Any) -> None:
        """Somebody saw these texts, and they go."""
        self.given_up.update(value for value in values if isinstance(value, str))

    # What there is.

    def side(self) -> Side:
        return self.chance.choice(self.sides)

    async def records(self) -> list[Record]:
        """All that live."""
        return list((await self.hub.records.contacts(self.operator, ALL)).items)

    async def record(self) -> Record:
        """Some record that lives, mostly a hot one."""
        living = await self.records()
        hot = [record for record in living if record.id in self.hot]
        return self.chance.choice(hot if hot and self.chance.random() < 0.8 else living)

    async def hot_counterparts(self, side: Side) -> dict[str, UUID]:
        """What the hot records are at this side: id there → record."""
        sql = """
            SELECT external_id, record_id FROM mapping
            WHERE organization_id = $1 AND connection_id = $2 AND record_id = ANY($3) AND status <> 'deleted'
            ORDER BY external_id
        """
        rows = await fetch(self.operator.scope, sql, self.operator.organization_id, side.office.connection.id, self.hot)
        return {row["external_id"]: row["record_id"] for row in rows}

    async def look_at_conflicts(self) -> None:
        """Note what people are asked: a later edit shows them other values."""
        sql = "SELECT ours, theirs FROM conflict WHERE organization_id = $1 AND resolved_at IS NULL"
        for row in await fetch(self.operator.scope, sql, self.operator.organization_id):
            if isinstance(row["ours"], str) and isinstance(row["theirs"], str):
                self.asked.add((row["ours"], row["theirs"]))

    async def in_hand(self) -> list[UUID]:
        """The records that are being written."""
        scope = self.operator.scope
        sql = "SELECT record_id FROM delivery WHERE organization_id = $1 AND record_id IS NOT NULL AND status = 'sending'"
        return [row["record_id"] for row in await fetch(scope, sql, scope.organization_id)]

    # Workers.

    async def start(self, side: Side, direction: str) -> UUID:
        """A run that may be advanced: a new one, or the one that is in its way."""
        try:
            run = await self.hub.syncs.start(
                self.operator, side.office.connection.id, streams=["partners"], mode="full", direction=direction
            )
        except SyncInProgress as busy:
            return busy.existing_run_id
        self.rung.append(("run", run.id))
        return run.id

    async def calm_run(self, side: Side, direction: str) -> SyncRun:
        run_id = await self.start(side, direction)
        for _ in range(8):
            await self.tick()
            await self.advance(run_id)
            run = await self.hub.syncs.run(self.operator, run_id)
            if not run.status.is_active:
                break
        return run

    async def advance(self, run_id: UUID) -> None:
        await self.hub.syncs.advance(self.operator.organization_id, run_id)

    async def worker(self, run_id: UUID, mine: Trouble) -> None:
        """A worker of its own, with what happens to it."""
        token = trouble.set(mine)
        task = mine.worker = asyncio.create_task(self.advance(run_id))
        trouble.reset(token)
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None and not mine.is_dead:
            raise error

    async def push_one(self, record_id: UUID, side: Side, *, bells: int = 1) -> None:
        """Somebody asks for one record to be brought over; the bell rings so many times at once."""
        delivery = await self.hub.pushes.queue(self.operator, record_id, side.office.connection.id)
        self.rung.append(("delivery", delivery))
        await asyncio.gather(*(self.hub.pushes.send(self.operator.organization_id, delivery) for _ in range(bells)))

    async def tick(self) -> None:
        """Time passes: leases run out, pauses end."""
        scope = self.operator.scope
        async with transaction(scope):
            for table in ("sync_run", "delivery"):
                await execute(
                    scope,
                    f"""
                    UPDATE {table} SET next_attempt_at = now() - interval '1 s',
                        lease_expires_at = CASE WHEN lease_expires_at IS NULL THEN NULL ELSE now() - interval '1 s' END
                    WHERE organization_id = $1
                      AND status IN ('queued', 'running', 'cancelling', 'sending')
                    """,
                    scope.organization_id,
                )
            await execute(
                scope, "UPDATE connection SET status = 'active', paused_until = NULL WHERE organization_id = $1", scope.organization_id
            )
        self.clock += 1000.0
        await self.hub.redis.flushdb()  # the budgets' pauses end with it, and with what each process remembers of them
        self.hub.connections.sessions.counters._own.clear()  # type: ignore[attr-defined]
