"""A seeded world in which people edit on both sides while workers crash, freeze and are rung twice and the provider misbehaves.

Every edit writes a text that nobody wrote before. In the end each of these texts must be accounted for: it is there on both sides,
or somebody who saw it wrote over it, or a conflict shows it. Nothing else may have happened to it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx

from app import database
from app.bootstrap import Hub
from app.conflicts.models import DELETED
from app.connectors import hold
from app.database import execute, fetch, transaction
from app.errors import Refusal
from app.records.models import Record
from app.syncs.service import SyncInProgress
from tests.connectors.metakocka.company import SECOND
from tests.two_way.office import ALL, Office

FIELDS = {"name": "customer", "phone": "phone", "mobile": "gsm"}
"""The hub's fields that are edited, with the provider's names."""
FAULTS = ("drop-answer", "drop-request", "cut", "500", "maintenance", "opr-1", "opr-5", "duplicate-row", "malformed-json")


HOT = 3
"""Of each side's records; four of five edits are of these."""


class Crash(BaseException):
    """The process ends here: nothing catches it, and nothing after it happens."""


@dataclass
class Trouble:
    """Where the next crash or freeze happens: so many requests and statements from now."""

    crash_in: int | None = None
    freeze_in: int | None = None
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    thaw: asyncio.Event = field(default_factory=asyncio.Event)
    worker: "asyncio.Task[None] | None" = None
    is_dead: bool = False

    async def step(self) -> None:
        """One request or COMMIT is about to happen. A dead worker does neither any more."""
        if self.crash_in is not None and not self.is_dead:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.is_dead = True
                if self.worker is not None:
                    self.worker.cancel()
        if self.is_dead:
            raise Crash
        if self.freeze_in is not None:
            self.freeze_in -= 1
            if self.freeze_in < 0:
                self.freeze_in = None
                self.frozen.set()
                await self.thaw.wait()


class TroubledTransport(httpx.AsyncBaseTransport):
    """Stands where requests leave."""

    def __init__(self, inner: httpx.AsyncBaseTransport, world: "World") -> None:
        self.inner, self.world = inner, world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trouble = self.world.trouble_of()
        if trouble is not None:
            await trouble.step()
        response = await self.inner.handle_async_request(request)
        if trouble is not None:
            await trouble.step()
        return response


@dataclass
class Side:
    """A connection, and its company at the provider."""

    office: Office
    company_id: str
    ids: list[str] = field(default_factory=list)


class World:
    """One schedule."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub, self.seed, self.chance = hub, seed, Random(seed)
        self.sides: list[Side] = []
        self.hot: list[UUID] = []
        """Records that most edits are of, so that they meet."""
        self.texts = 0
        self.written: dict[str, tuple[str, str]] = {}
        """Every text that was written → where, and the text that it replaced, as its author saw it."""
        self.asked: set[tuple[str, str]] = set()
        """What hub and provider had in fields that somebody was asked about."""
        self.counts: Counter[str] = Counter()
        self.log: list[str] = []
        self.clock = 0.0
        self._troubles: dict[int, Trouble] = {}

    def trouble_of(self) -> Trouble | None:
        task = asyncio.current_task()
        return self._troubles.get(id(task)) or self._troubles.get(-1)

    # The world at its start.

    @classmethod
    async def make(cls, hub: Hub, operator: Any, sandbox: Any, seed: int, partners: int = 15) -> "World":
        world = cls(hub, seed)
        for company_id, settings in (("16", {}), (SECOND.company_id, {"company_id": SECOND.company_id, "secret_key": SECOND.secret_key})):
            office = await Office.open(hub, operator, sandbox, **settings)
            side = Side(office, company_id)
            side.ids = [await world._add_partner(side) for _ in range(partners)]
            world.sides.append(side)
        await world._calm_run(world.sides[0], "pull")
        await world._calm_run(world.sides[1], "pull")
        for side in world.sides:
            await side.office.policy(creates_missing=True)
            world.hot += [(await side.office.record(mk_id)).id for mk_id in side.ids[:HOT]]
        return world

    async def _add_partner(self, side: Side) -> str:
        name = self._text(f"provider {side.company_id}", "")
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

    def _text(self, where: str, replaced: str) -> str:
        self.texts += 1
        text = f"{self.seed}-{self.texts} ž"
        self.written[text] = (where, replaced)
        return text

    # Steps.

    async def step(self, more: Mapping[str, int] | None = None) -> None:
        """Something happens; `more` makes some of it likelier: names with their weights."""
        ways = [
            (self.edit_in_hub, 20),
            (self.edit_at_provider, 20),
            (self.run, 14),
            (self.troubled_run, 14),
            (self.crashed_run, 12),
            (self.frozen_run, 6),
            (self.push_one, 8),
            (self.edit_push_and_edit_again, 4),
            (self.push_while_a_page_is_on_its_way, 6),
            (self.resolve, 8),
            (self.add_in_hub, 2),
            (self.flush_redis, 1),
        ]
        weights = [(more or {}).get(way.__name__, 1 if more else weight) for way, weight in ways]
        way = self.chance.choices([way for way, _ in ways], weights)[0]
        self.counts[way.__name__] += 1
        self.log.append(way.__name__)
        await way()
        await self._look_at_conflicts()

    async def _look_at_conflicts(self) -> None:
        """Note what people are asked: a later edit shows them other values."""
        sql = "SELECT ours, theirs FROM conflict WHERE organization_id = $1 AND resolved_at IS NULL"
        for row in await fetch(self.operator.scope, sql, self.operator.organization_id):
            if isinstance(row["ours"], str) and isinstance(row["theirs"], str):
                self.asked.add((row["ours"], row["theirs"]))

    async def _in_hand(self) -> list[UUID]:
        scope = self.operator.scope
        sql = "SELECT record_id FROM delivery WHERE organization_id = $1 AND record_id IS NOT NULL AND status = 'sending'"
        return [row["record_id"] for row in await fetch(scope, sql, scope.organization_id)]

    async def edit_in_hub(self, record_id: UUID | None = None, name: str = "") -> None:
        record = await self.hub.records.get(self.operator, record_id) if record_id else await self._some_record()
        name = name or self.chance.choice(list(FIELDS))
        before = str(record.data.get(name, ""))
        text = self._text(f"hub {record.id} {name}", before)
        try:
            await self.hub.edits.update(self.operator, record.id, version=record.version, changes={name: text})
        except Refusal:
            del self.written[text]

    async def _some_record(self) -> Record:
        if self.chance.random() < 0.8:
            return await self.hub.records.get(self.operator, self.chance.choice(self.hot))
        return self.chance.choice((await self.hub.records.contacts(self.operator, ALL)).items)

    async def edit_at_provider(self) -> None:
        side = self.chance.choice(self.sides)
        mk_id = self.chance.choice(side.ids[:HOT] if self.chance.random() < 0.8 else side.ids)
        partner = await side.office.sandbox.control("GET", f"partners/{mk_id}", company_id=side.company_id)
        name = self.chance.choice(list(FIELDS))
        contact = partner["partner_contact_list"][0] if isinstance(partner.get("partner_contact_list"), list) else {}
        before = partner["customer"] if name == "name" else str(contact.get(FIELDS[name], ""))
        text = self._text(f"provider {side.company_id} {mk_id} {name}", before)
        change = {"customer": text} if name == "name" else {"partner_contact_list": [{**contact, FIELDS[name]: text}]}
        await side.office.sandbox.control("POST", f"partners/{mk_id}", change, company_id=side.company_id)

    async def add_in_hub(self) -> None:
        name = self._text("hub new name", "")
        address = {"street": "Nova 1", "city": "Kranj", "country": "SI"}
        await self.sides[0].office.create(name, tax_number=f"{self.chance.randrange(10**8):08d}", address=address)

    async def run(self) -> None:
        side = self.chance.choice(self.sides)
        await self._calm_run(side, self.chance.choice(["pull", "push", "two_way"]))

    async def troubled_run(self) -> None:
        """The provider misbehaves while a run goes on; two workers are rung for it."""
        side, kind = self.chance.choice(self.sides), self.chance.choice(FAULTS)
        await side.office.sandbox.fault(kind, times=self.chance.randint(1, 3), skip=self.chance.randint(0, 4))
        self.counts[f"fault {kind}"] += 1
        run = await self._start(side, self.chance.choice(["pull", "push", "two_way"]))
        if run is not None:
            await asyncio.gather(*(self._advance(run) for _ in range(2)))
            await self.tick()
            await self._advance(run)
        await side.office.sandbox.clear_faults()
        await self.tick()

    async def crashed_run(self) -> None:
        """A worker dies somewhere; another one goes on once the lease has run out."""
        run = await self._start(self.chance.choice(self.sides), self.chance.choice(["pull", "push", "two_way"]))
        if run is None:
            return
        trouble = Trouble(crash_in=self._soon())
        await self._worker(run, trouble)
        self.counts["crash"] += trouble.is_dead
        await self.tick()
        if self.chance.random() < 0.7:
            await self._advance(run)

    async def frozen_run(self) -> None:
        """A worker stands still for longer than its lease; another one takes over, and then the first one wakes up."""
        run = await self._start(self.chance.choice(self.sides), self.chance.choice(["push", "two_way"]))
        if run is None:
            return
        trouble = Trouble(freeze_in=self._soon())
        frozen = asyncio.create_task(self._worker(run, trouble))
        stood_still = asyncio.create_task(trouble.frozen.wait())
        await asyncio.wait({frozen, stood_still}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        stood_still.cancel()
        if trouble.frozen.is_set():
            self.counts["freeze"] += 1
            in_hand = await self._in_hand()
            await self.tick()
            await self._advance(run)
            for record_id in in_hand:
                await self.edit_in_hub(record_id)
            other = await self._start(self.chance.choice(self.sides), "push")
            if other is not None:
                await self.tick()
                await self._advance(other)
        trouble.thaw.set()
        await frozen
        await self.tick()

    async def push_one(self) -> None:
        """Somebody asks for one record to be brought over; the bell rings three times."""
        side = self.chance.choice(self.sides)
        record = await self._some_record()
        delivery = await self.hub.pushes.queue(self.operator, record.id, side.office.connection.id)
        send = self.hub.pushes.send
        await asyncio.gather(*(send(self.operator.organization_id, delivery) for _ in range(3)))

    async def edit_push_and_edit_again(self) -> None:
        """Somebody corrects a field, has it brought over, and corrects it once more."""
        record, name = await self._some_record(), self.chance.choice(list(FIELDS))
        await self.edit_in_hub(record.id, name)
        delivery = await self.hub.pushes.queue(self.operator, record.id, self.chance.choice(self.sides).office.connection.id)
        await self.hub.pushes.send(self.operator.organization_id, delivery)
        await self.edit_in_hub(record.id, name)

    async def push_while_a_page_is_on_its_way(self) -> None:
        """A run has read a page and not yet written it when somebody edits a record on it and has it brought over."""
        side = self.chance.choice(self.sides)
        run = await self._start(side, "pull")
        if run is None:
            return
        await self.tick()
        trouble = Trouble(freeze_in=3)  # the connection's check is asked and answered, the page is asked and answered
        reading = asyncio.create_task(self._worker(run, trouble))
        stood_still = asyncio.create_task(trouble.frozen.wait())
        await asyncio.wait({reading, stood_still}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        stood_still.cancel()
        self._troubles.pop(-1, None)
        if trouble.frozen.is_set():
            self.counts["page on its way"] += 1
            record = await self._some_record()
            await self.edit_in_hub(record.id)
            delivery = await self.hub.pushes.queue(self.operator, record.id, side.office.connection.id)
            await self.hub.pushes.send(self.operator.organization_id, delivery)
        trouble.thaw.set()
        await reading

    def _soon(self) -> int:
        """After how many requests and COMMITs something happens: mostly few, for most runs are short."""
        return int(self.chance.expovariate(1 / 6))

    async def resolve(self) -> None:
        for side in self.sides:
            for conflict in (await side.office.conflicts())[:2]:
                with suppress(Refusal):
                    await self.hub.conflicts.resolve(self.operator, conflict.id, resolution=self.chance.choice(["ours", "theirs"]))

    async def flush_redis(self) -> None:
        await self.hub.redis.flushdb()

    # Workers and time.

    @property
    def operator(self) -> Any:
        return self.sides[0].office.operator

    async def _start(self, side: Side, direction: str) -> UUID | None:
        try:
            run = await self.hub.syncs.start(
                self.operator, side.office.connection.id, streams=["partners"], mode="full", direction=direction
            )
        except SyncInProgress as busy:
            return busy.existing_run_id
        return run.id

    async def _calm_run(self, side: Side, direction: str) -> Any:
        run_id = await self._start(side, direction)
        for _ in range(8):
            await self.tick()
            await self._advance(run_id)
            run = await self.hub.syncs.run(self.operator, run_id)
            if not run.status.is_active:
                break
        return run

    async def _advance(self, run_id: UUID) -> None:
        await self.hub.syncs.advance(self.operator.organization_id, run_id)

    async def _worker(self, run_id: UUID, trouble: Trouble) -> None:
        """A worker of its own, with what happens to it. Its tasks share the trouble."""
        self._troubles[-1] = trouble
        task = trouble.worker = asyncio.create_task(self._advance(run_id))
        try:
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None and not trouble.is_dead:
                raise error
        finally:
            if self._troubles.get(-1) is trouble:
                self._troubles.pop(-1)

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

    # The end.

    async def settle(self) -> None:
        """Trouble ends; everything that waits is done, every conflict is resolved."""
        for side in self.sides:
            await side.office.sandbox.clear_faults()
        for _ in range(12):
            runs = [await self._calm_run(side, "two_way") for side in self.sides]
            await self.sweep()
            await self.resolve_all()
            quiet = all(run.counts.created + run.counts.updated + run.counts.deleted == 0 for run in runs)
            if quiet and not await self._waiting():
                return
        waiting = await self._waiting()
        raise AssertionError(
            f"The world does not come to rest: {waiting}, {[run.message for run in runs]}, {[run.error_message for run in runs]}"
        )

    async def sweep(self) -> None:
        """What a worker's sweeper rings for."""
        scope = self.operator.scope
        due = "SELECT id FROM delivery WHERE organization_id = $1 AND record_id IS NOT NULL AND status IN ('queued', 'sending')"
        for row in await fetch(scope, due, scope.organization_id):
            await self.hub.pushes.send(scope.organization_id, row["id"])

    async def resolve_all(self) -> None:
        for side in self.sides:
            for conflict in await side.office.conflicts():
                assert conflict.field != DELETED
                with suppress(Refusal):
                    await self.hub.conflicts.resolve(self.operator, conflict.id, resolution=self.chance.choice(["ours", "theirs"]))

    async def _waiting(self) -> list[dict[str, Any]]:
        scope = self.operator.scope
        rows = await fetch(
            scope,
            """
            SELECT 'mapping' AS kind, external_id AS what, status, last_error AS error FROM mapping
            WHERE organization_id = $1 AND status <> 'synced'
            UNION ALL SELECT 'delivery', id::text, status, error_message FROM delivery
            WHERE organization_id = $1 AND status IN ('queued', 'sending')
            """,
            scope.organization_id,
        )
        return [dict(row) for row in rows]

    async def verdict(self) -> list[str]:
        """What is wrong; nothing, if all laws were kept."""
        wrong = [*await self._disagreements(), *await self._doubles(), *await self._lost(), *self._echoes()]
        return [f"seed {self.seed}: {sentence}" for sentence in wrong]

    async def _partners(self, side: Side) -> dict[str, dict[str, Any]]:
        rows = await fetch(
            self.operator.scope,
            "SELECT external_id, record_id FROM mapping WHERE organization_id = $1 AND connection_id = $2 AND stream = 'partners'",
            self.operator.organization_id,
            side.office.connection.id,
        )
        found = {}
        for row in rows:
            partner = await side.office.sandbox.control("GET", f"partners/{row['external_id']}", company_id=side.company_id)
            found[row["external_id"]] = partner | {"record_id": row["record_id"]}
        return found

    async def _disagreements(self) -> list[str]:
        wrong = []
        for side in self.sides:
            for mk_id, partner in (await self._partners(side)).items():
                record = await self.hub.records.get(self.operator, partner["record_id"])
                contact = (partner.get("partner_contact_list") or [{}])[0]
                there = {"name": partner["customer"], "phone": contact.get("phone", ""), "mobile": contact.get("gsm", "")}
                for name, value in there.items():
                    if record.data.get(name, "") != value:
                        wrong.append(f"{side.company_id}/{mk_id}: {name} is {value!r} there and {record.data.get(name)!r} here")
        return wrong

    async def _doubles(self) -> list[str]:
        """No partner was made twice, and none got a second contact or address."""
        wrong = []
        records = len((await self.hub.records.contacts(self.operator, ALL)).items)
        for side in self.sides:
            partners = await self._partners(side)
            writes = await side.office.sandbox.ledger()
            made = [
                one["mk_id"]
                for write in writes
                for one in write["effects"]
                if (one["object"], one["effect"]) == ("partner", "created") and write.get("company_id") == side.company_id
            ]
            if strays := set(made) - partners.keys():
                wrong.append(f"{side.company_id}: {len(strays)} partners were made that belong to no record: {sorted(strays)[:3]}")
            if len(partners) != records:
                wrong.append(f"{side.company_id} has {len(partners)} of {records} contacts")
            for mk_id, partner in partners.items():
                for name in ("partner_contact_list", "partner_delivery_address_list"):
                    if len(partner.get(name) or []) > 1:
                        wrong.append(f"{side.company_id}/{mk_id} has {len(partner[name])} of {name}")
        return wrong

    def _echoes(self) -> list[str]:
        """Nobody is asked about what the hub itself had written."""
        return [
            f"{theirs!r} came back as if it had been written there over {ours!r}"
            for ours, theirs in self.asked
            if {ours, theirs} <= self.written.keys()
            and self.written[theirs][0].startswith("hub")
            and self.written[ours] == (self.written[ours][0], theirs)
        ]

    async def _lost(self) -> list[str]:
        """Every text is there, or was written over by somebody who saw it, or a conflict shows it."""
        rows = await fetch(
            self.operator.scope, "SELECT base, ours, theirs FROM conflict WHERE organization_id = $1", self.operator.organization_id
        )
        shown = {value for row in rows for value in row.values() if isinstance(value, str)}
        replaced = {before for _, before in self.written.values()}
        contacts = (await self.hub.records.contacts(self.operator, ALL)).items
        there = {str(record.data.get(name)) for record in contacts for name in FIELDS}
        return [
            f"{text!r} ({where}) is gone without a trace"
            for text, (where, _) in self.written.items()
            if text not in shown | replaced | there
        ]


class Troubled:
    """While it is entered, requests leave through the world's trouble, COMMITs may be the last thing a worker does, and the clock of
    holds is the world's."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> "Troubled":
        world, hub = self.world, self.world.hub
        sessions = hub.connections.sessions
        self._transport, self._connection, self._clock = sessions.transport, database._Connection.execute, hold._clock
        object.__setattr__(sessions, "transport", TroubledTransport(self._transport, world))
        execute_there = self._connection

        async def troubled(connection: Any, query: str, *arguments: Any, timeout: float | None = None) -> Any:
            trouble = world.trouble_of() if query == "COMMIT" else None
            if trouble is not None and trouble.freeze_in is None:  # one frozen within a transaction is ended by Postgres, 15 s later
                await trouble.step()
            status = await execute_there(connection, query, *arguments, timeout=timeout)
            if trouble is not None:
                await trouble.step()
            return status

        database._Connection.execute = troubled  # type: ignore[method-assign]
        hold._clock = lambda: self._clock() + world.clock
        return self

    def __exit__(self, *args: object) -> None:
        object.__setattr__(self.world.hub.connections.sessions, "transport", self._transport)
        database._Connection.execute = self._connection  # type: ignore[method-assign]
        hold._clock = self._clock
