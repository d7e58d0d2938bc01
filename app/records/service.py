"""Reading records."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from app.actors import Actor, Permission
from app.errors import NotFound
from app.mappings import repository as mappings
from app.mappings.models import Mapping as Link
from app.paging import PageRequest, ResultPage
from app.records import lists, repository, versions
from app.records.models import Record, RecordAsOf, RecordVersion

DOCUMENT = "sales_document"


class RecordNotFound(NotFound):
    """This record does not exist, or you may not see it."""

    code = "record_not_found"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which jobs or sales documents are listed, and from which end."""

    connection_id: UUID | None
    contact_id: UUID | None
    status: str | None
    kind: str | None
    oldest_first: bool


class RecordService:
    """What was read, in the hub's canonical shapes. `document_streams` are the names of those that hold sales documents."""

    def __init__(self, document_streams: Collection[str]) -> None:
        self._document_streams = sorted(document_streams)

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
        return await self._by_name(actor, "contact", page, connection_id, search)

    async def products(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, search: str | None = None
    ) -> ResultPage[Record]:
        """Products by name; `search` is the beginning of a name."""
        return await self._by_name(actor, "product", page, connection_id, search)

    async def inventory_levels(self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None) -> ResultPage[Record]:
        """What lies where, by the names of the products."""
        return await self._by_name(actor, "inventory_level", page, connection_id, None)

    async def _by_name(
        self, actor: Actor, entity: str, page: PageRequest, connection_id: UUID | None, search: str | None
    ) -> ResultPage[Record]:
        actor.require(Permission.READ_RECORDS)
        after = page.key(tuple[str, UUID])
        found = await lists.by_name(actor.scope, entity, first=page.first, after=after, connection_id=connection_id, search=search)
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
        """Jobs, newest first or oldest first; of one contact, at whatever connections, where `contact_id` is given."""
        wanted = _Wanted(connection_id, contact_id, status, None, oldest_first)
        return await self._by_time(actor, "job", page, wanted)

    async def sales_documents(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        contact_id: UUID | None = None,
        status: str | None = None,
        kind: str | None = None,
        oldest_first: bool = False,
    ) -> ResultPage[Record]:
        """Sales documents as `jobs` are listed; of one kind (offer, order …) where that is given."""
        wanted = _Wanted(connection_id, contact_id, status, kind, oldest_first)
        return await self._by_time(actor, DOCUMENT, page, wanted)

    async def documents_standing(
        self, actor: Actor, page: PageRequest, status: str, *, connection_id: UUID | None = None, kind: str | None = None
    ) -> ResultPage[Record]:
        """Sales documents that have this sync status (pending, synced, conflict, failed or deleted) at a connection, newest first."""
        actor.require(Permission.READ_RECORDS)
        streams, after = self._document_streams, page.key(UUID)
        if status == "synced":
            wanted = asdict(_Wanted(connection_id, None, None, kind, oldest_first=False))
            found = await lists.by_time(actor.scope, DOCUMENT, first=page.first, after=after, in_step=True, **wanted)
        else:
            found = await lists.by_standing(
                actor.scope, DOCUMENT, streams, status, first=page.first, after=after, connection_id=connection_id, kind=kind
            )
        return ResultPage.cut(found, page.first, lambda record: record.id)

    async def _by_time(self, actor: Actor, entity: str, page: PageRequest, wanted: "_Wanted") -> ResultPage[Record]:
        actor.require(Permission.READ_RECORDS)
        found = await lists.by_time(actor.scope, entity, first=page.first, after=page.key(UUID), **asdict(wanted))
        return ResultPage.cut(found, page.first, lambda record: record.id)

    async def history(self, actor: Actor, record_id: UUID) -> list[RecordVersion]:
        """What a record was before, newest first."""
        await self.get(actor, record_id)
        return await versions.history(actor.scope, record_id)

    async def versions_of(self, actor: Actor, record_ids: Sequence[UUID], page: PageRequest) -> dict[UUID, list[RecordVersion]]:
        """What each of some records was before, newest first."""
        actor.require(Permission.READ_RECORDS)
        found: dict[UUID, list[RecordVersion]] = {record_id: [] for record_id in record_ids}
        for version in await versions.latest(actor.scope, record_ids, page.first):
            found[version.record_id].append(version)
        return found

    async def as_of(self, actor: Actor, record_id: UUID, time: datetime) -> RecordAsOf | None:
        """What a record was at a moment; None before there was one."""
        actor.require(Permission.READ_RECORDS)
        return await versions.as_of(actor.scope, record_id, time)

    async def mappings_of(self, actor: Actor, record_ids: Sequence[UUID]) -> dict[UUID, list[Link]]:
        """The links of each of some records, oldest first."""
        actor.require(Permission.READ_RECORDS)
        found: dict[UUID, list[Link]] = {record_id: [] for record_id in record_ids}
        for mapping in await mappings.of_records(actor.scope, record_ids):
            found[mapping.record_id].append(mapping)
        return found

    async def mappings(
        self,
        actor: Actor,
        page: PageRequest,
        *,
        connection_id: UUID | None = None,
        record_id: UUID | None = None,
        external_id: str | None = None,
        status: str | None = None,
    ) -> ResultPage[Link]:
        """The links between records and their counterparts, newest first."""
        actor.require(Permission.READ_RECORDS)
        found = await mappings.page(
            actor.scope,
            first=page.first,
            after=page.key(UUID),
            connection_id=connection_id,
            record_id=record_id,
            external_id=external_id,
            status=status,
        )
        return ResultPage.cut(found, page.first, lambda mapping: mapping.id)
