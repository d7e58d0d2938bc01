"""Contacts that may be one, suggested for merging."""

from collections.abc import Sequence
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.errors import InvalidInput
from app.paging import PageRequest, ResultPage
from app.records import merge_store, repository
from app.records.merge_models import Duplicates
from app.records.merge_store import ALIKE_BY, SHOWN, Alike
from app.records.models import Record


class DuplicateService:
    """Reading which contacts may be one."""

    async def duplicates(
        self, actor: Actor, page: PageRequest, *, connection_id: UUID | None = None, by: str | None = None
    ) -> ResultPage[Duplicates]:
        """Contacts that share a tax number, an e-mail address or a name, in this order; with one of the connection where it is given.

        Raises InvalidInput.
        """
        actor.require(Permission.READ_RECORDS)
        if by is not None and by not in ALIKE_BY:
            raise InvalidInput(fields={"by": f"Choose from {', '.join(ALIKE_BY)}."})
        began, after = page.key(tuple[str, str]) or (None, None)
        kinds = list(ALIKE_BY)[list(ALIKE_BY).index(began) if began in ALIKE_BY else 0 :]
        found: list[tuple[str, Alike]] = []
        for kind in kinds:
            if by in (None, kind) and len(found) <= page.first:
                wanted, behind = page.first + 1 - len(found), after if kind == began else None
                groups = await merge_store.alike(actor.scope, kind, first=wanted, after=behind, connection_id=connection_id)
                found += [(kind, group) for group in groups]
        return ResultPage.cut(await _with_contacts(actor.scope, found), page.first, lambda one: (one.by, one.value))

    async def of(self, actor: Actor, record_id: UUID) -> list[tuple[Record, str]]:
        """The contacts that may be this one, each with what they share: tax_number, email or name; the most telling first."""
        actor.require(Permission.READ_RECORDS)
        found = await merge_store.like(actor.scope, record_id, SHOWN)
        records = {record.id: record for record in await repository.get_many(actor.scope, [id for id, _ in found])}
        return [(records[id], by) for id, by in found if id in records]


async def _with_contacts(scope: Scope, found: Sequence[tuple[str, Alike]]) -> list[Duplicates]:
    ids = [record_id for _, group in found for record_id in group.record_ids]
    records = {record.id: record for record in await repository.get_many(scope, ids)}
    return [Duplicates(by, group.value, group.count, [records[id] for id in group.record_ids if id in records]) for by, group in found]
