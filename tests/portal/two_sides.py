"""A contact that is known at a provider and changed on both sides, for tests of the console."""

import asyncio
from typing import Any
from uuid import UUID

from app.conflicts.models import Conflict
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.paging import PageRequest
from app.records.models import Record
from tests import factories
from tests.portal.office import Office
from tests.two_way.office import Office as TwoWayOffice

ALL = PageRequest(100)


class TwoSides:
    """One organization's contacts here and at ServiceM8, which is only read, or at Metakocka."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.hub, self.owner = office.hub, office.owner

    # ServiceM8

    async def companies(self, *names: str, **values: Any) -> list[str]:
        """Companies at ServiceM8 that the hub has read; their ids there."""
        made = [(await self.office.sandbox.create("company", name=name, **values))["uuid"] for name in names]
        await self.office.connect()
        await self.office.sync()
        return made

    async def clash(self, name: str, uuid: str, ours: str, theirs: str, field: str = "website") -> None:
        """Change a field on both sides; the next sync finds the conflict."""
        await self.edit(name, **{field: ours})
        await asyncio.sleep(1.1)  # the provider counts seconds
        await self.office.sandbox.edit("company", uuid, **{field: theirs})

    async def conflict(self, name: str = "Čebelar", ours: str = "https://ours.test", theirs: str = "https://theirs.test") -> Conflict:
        """A company with one open conflict."""
        (uuid,) = await self.companies(name, website="https://both.test")
        await self.clash(name, uuid, ours, theirs)
        await self.office.sync()
        (found,) = await self.conflicts()
        return found

    async def conflicts(self, *, open_only: bool = True) -> list[Conflict]:
        return list((await self.hub.conflicts.conflicts(self.owner, ALL, open_only=open_only)).items)

    # Metakocka

    async def metakocka(self, sandbox: MetakockaSandbox, *names: str) -> TwoWayOffice:
        """A connection to a Metakocka whose partners the hub has read."""
        office = await TwoWayOffice.open(self.hub, self.owner, sandbox)
        for name in names:
            await office.add(name)
        run = await self.hub.syncs.start(self.owner, office.connection.id, streams=["partners"], mode="full")
        await factories.ended(self.hub, self.owner, run)
        return office

    # Both

    async def record(self, name: str) -> Record:
        found = await self.hub.records.contacts(self.owner, ALL, search=name)
        (record,) = [one for one in found.items if one.data["name"] == name]
        return record

    async def edit(self, name: str, **changes: Any) -> Record:
        record = await self.record(name)
        return await self.hub.edits.update(self.owner, record.id, version=record.version, changes=changes)

    async def data(self, record_id: UUID) -> dict[str, Any]:
        return dict((await self.hub.records.get(self.owner, record_id)).data)
