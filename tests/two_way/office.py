"""A connection to a Metakocka sandbox, and short ways to work on both sides of it."""

import secrets
from typing import Any
from uuid import UUID

from app.actors import Actor
from app.bootstrap import Hub
from app.conflicts.models import Conflict, StreamPolicy
from app.connections.models import Connection
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.database import fetch
from app.mappings.models import Mapping
from app.paging import PageRequest
from app.records.models import Record
from app.syncs.models import SyncRun
from tests import factories
from tests.connectors.metakocka.company import add_partner, settings_of

ALL = PageRequest(100)


class Office:
    """One organization's connection to one company at Metakocka."""

    def __init__(self, hub: Hub, operator: Actor, sandbox: RunningSandbox, connection: Connection) -> None:
        self.hub, self.operator, self.sandbox, self.connection = hub, operator, sandbox, connection

    @classmethod
    async def open(cls, hub: Hub, operator: Actor, sandbox: RunningSandbox, **settings: Any) -> "Office":
        """A tested connection; `settings` go beside the sandbox's own."""
        given = settings_of(sandbox) | {"page_size": 100} | settings
        secret = given.pop("secret_key")
        connection = await hub.connections.create(
            operator,
            provider="metakocka",
            name=f"Metakocka {secrets.token_hex(3)}",
            mode="sandbox",
            settings=given,
            credentials={"secret_key": secret},
            idempotency_key=factories.key(),
        )
        result = await hub.connections.test(operator, connection.id)
        assert result.ok, result.message
        return cls(hub, operator, sandbox, await hub.connections.get(operator, connection.id))

    async def add(self, name: str = "", **values: Any) -> str:
        """A partner, as an MK user adds it; its id there."""
        return str((await add_partner(self.sandbox, name, **values))["mk_id"])

    async def run(self, direction: str = "pull", *, mode: str = "full", streams: tuple[str, ...] = ("partners",)) -> SyncRun:
        return await factories.sync(self.hub, self.operator, self.connection, streams=list(streams), mode=mode, direction=direction)

    async def mapped(self, record_id: UUID) -> Mapping | None:
        """The record's mapping at this connection."""
        found = (await self.hub.records.mappings(self.operator, ALL, record_id=record_id, connection_id=self.connection.id)).items
        return found[0] if found else None

    async def record(self, mk_id: str) -> Record:
        rows = await fetch(
            self.operator.scope,
            "SELECT record_id FROM mapping WHERE organization_id = $1 AND external_id = $2 AND connection_id = $3",
            self.operator.organization_id,
            mk_id,
            self.connection.id,
        )
        return await self.hub.records.get(self.operator, rows[0]["record_id"])

    async def edit(self, record: Record, **changes: Any) -> Record:
        return await self.hub.edits.update(self.operator, record.id, version=record.version, changes=changes)

    async def create(self, name: str, **data: Any) -> Record:
        return await self.hub.edits.create(self.operator, "contact", {"name": name, **data})

    async def conflicts(self, **wanted: Any) -> list[Conflict]:
        return list((await self.hub.conflicts.conflicts(self.operator, ALL, connection_id=self.connection.id, **wanted)).items)

    async def policy(self, stream: str = "partners", **values: Any) -> StreamPolicy:
        before = await self.hub.conflicts.policy(self.operator, self.connection.id, stream)
        changed = StreamPolicy(**{name: getattr(before, name) for name in before.__dataclass_fields__} | values)
        return await self.hub.conflicts.set_policy(self.operator, changed, self.hub.connectors["metakocka"].streams["partners"])

    async def living(self) -> int:
        return len((await self.hub.records.contacts(self.operator, ALL, connection_id=self.connection.id)).items)
