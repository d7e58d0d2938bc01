"""Reading records."""

from collections.abc import Sequence
from uuid import UUID

from app.actors import Actor, Permission
from app.errors import NotFound
from app.mappings import repository as mappings
from app.mappings.models import Mapping
from app.paging import PageRequest, ResultPage
from app.records import repository
from app.records.models import Record, RecordVersion


class RecordNotFound(NotFound):
    """This record does not exist, or you may not see it."""

    code = "record_not_found"


class RecordService:
    """What was read, in the hub's canonical shapes."""

    async def get(self, actor: Actor, record_id: UUID) -> Record:
        """Raises RecordNotFound."""
        actor.require(Permission.READ_RECORDS)
        record = await repository.get(actor.scope, record_id)
        if record is None:
            raise RecordNotFound
        return record

    async def get_many(self, actor: Actor, record_ids: Sequence[UUID]) -> list[Record]:
        """Those of the records that exist, in any order."""
        actor.require(Permission.READ_RECORDS)
        return await repository.get_many(actor.scope, record_ids)

    async def contacts(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, search: str | None = None
    ) -> ResultPage[Record]:
        """Contacts by name; `search` is the beginning of a name."""
        actor.require(Permission.READ_RECORDS)
        found = await repository.contacts(
            actor.scope, first=page.first, after=page.key(tuple[str, UUID]), connection_id=connection_id, search=search
        )
        return ResultPage.cut(found, page.first, lambda record: (record.name_folded, record.id))

    async def jobs(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        contact_id: UUID | None = None,
        status: str | None = None,
        oldest_first: bool = False,
    ) -> ResultPage[Record]:
        """Jobs, newest first or oldest first; of one contact where `contact_id` is given."""
        actor.require(Permission.READ_RECORDS)
        found = await repository.jobs(
            actor.scope,
            first=page.first,
            after=page.key(UUID),
            connection_id=connection_id,
            contact_id=contact_id,
            status=status,
            oldest_first=oldest_first,
        )
        return ResultPage.cut(found, page.first, lambda record: record.id)

    async def history(self, actor: Actor, record_id: UUID) -> list[RecordVersion]:
        """What a record was before, newest first."""
        await self.get(actor, record_id)
        return await repository.history(actor.scope, record_id)

    async def mappings(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        record_id: UUID | None = None,
        status: str | None = None,
    ) -> ResultPage[Mapping]:
        """The links between records and their counterparts, newest first."""
        actor.require(Permission.READ_RECORDS)
        found = await mappings.page(
            actor.scope, first=page.first, after=page.key(UUID), connection_id=connection_id, record_id=record_id, status=status
        )
        return ResultPage.cut(found, page.first, lambda mapping: mapping.id)
