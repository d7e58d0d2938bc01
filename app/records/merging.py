"""Contacts that turn out to be one: merged into the one that stays, and parted again."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from app.actors import Actor, Permission, Scope
from app.audit.service import AuditService
from app.errors import InvalidInput, Refusal
from app.feed.service import FeedService
from app.idempotency import once
from app.mappings import links
from app.mappings import repository as mappings
from app.records import merge_store, repository
from app.records.editing import Edit, RecordChanged, RecordEditor, checked
from app.records.entities import Contact
from app.records.events import page_event
from app.records.merge_models import ChangedSince, FieldChoice, Followed, MergePreview, Parted, RecordMerge
from app.records.models import Record, RecordChange
from app.records.service import RecordNotFound

SURVIVOR, LOSER = "survivor", "loser"
FIELDS = tuple(name for name in Contact.__struct_fields__ if name != "edited_at")
"""What is chosen field by field; when it was edited is its provider's matter."""
HasConflicts = Callable[[Scope, UUID], Awaitable[bool]]
"""Whether a record has open conflicts."""


class NotMergeable(Refusal):
    """These two cannot be merged as they are."""

    code = "not_mergeable"


class NotMerged(Refusal):
    """This contact is not merged into another one, or not any more."""

    code = "not_merged"


class Followers(Protocol):
    """Brings along what hangs on a contact beside its record: its client, and quotes."""

    async def of(self, scope: Scope, record_id: UUID) -> Followed:
        """What hangs on a contact."""
        ...

    async def follow(self, scope: Scope, survivor_id: UUID, loser_id: UUID) -> Mapping[str, Any]:
        """After a merge. Returns what it takes to part them again, as JSON."""
        ...

    async def part(self, scope: Scope, survivor_id: UUID, loser_id: UUID, moved: Mapping[str, Any]) -> None:
        """After a merge was taken back."""
        ...


class MergeService:
    """The use cases of merging contacts."""

    def __init__(
        self, editor: RecordEditor, audit: AuditService, feed: FeedService, followers: Followers, has_conflicts: HasConflicts
    ) -> None:
        self._editor = editor
        self._audit = audit
        self._feed = feed
        self._followers = followers
        self._has_conflicts = has_conflicts

    async def preview(self, actor: Actor, survivor_id: UUID, loser_id: UUID) -> MergePreview:
        """What differs, with a suggestion, and what comes along. Raises RecordNotFound, NotMergeable."""
        actor.require(Permission.READ_RECORDS)
        survivor, loser = await self._pair(actor, survivor_id, loser_id)
        differing = [name for name in FIELDS if survivor.data.get(name) != loser.data.get(name)]
        choices = [
            FieldChoice(name, survivor.data.get(name), loser.data.get(name), SURVIVOR if survivor.data.get(name) else LOSER)
            for name in differing
        ]
        counterparts = await mappings.of_records(actor.scope, [loser.id])
        conflicts = await self._has_conflicts(actor.scope, loser.id)
        return MergePreview(survivor, loser, choices, counterparts, await self._followers.of(actor.scope, loser.id), conflicts)

    async def merge(
        self,
        actor: Actor,
        survivor_id: UUID,
        loser_id: UUID,
        fields: Mapping[str, str],
        *,
        versions: Mapping[UUID, int] | None = None,
        idempotency_key: str | None = None,
    ) -> Record:
        """The loser becomes part of the survivor, which gets the loser's value in the fields that say so; the others stay.

        The loser's counterparts keep their mappings, and nothing is brought to them any more. `versions` are those that were seen.
        Raises RecordNotFound, RecordChanged, NotMergeable, InvalidInput.
        """
        actor.require(Permission.MANAGE_RECORDS)
        _check_fields(fields)
        request = {"survivor_id": survivor_id, "loser_id": loser_id, "fields": dict(fields)}
        async with once(actor, "merge_records", idempotency_key, request) as call:
            if not call.repeated:
                await self._hold(actor.scope, survivor_id, loser_id)
                survivor, loser = await self._pair(actor, survivor_id, loser_id)
                if any((versions or {}).get(record.id, record.version) != record.version for record in (survivor, loser)):
                    raise RecordChanged
                if await self._has_conflicts(actor.scope, loser_id):
                    raise NotMergeable("The contact that goes has open conflicts; decide them first.")
                await self._merge(actor, survivor, loser, fields)
                call.result = {}
        return await self._get(actor.scope, survivor_id)

    async def _hold(self, scope: Scope, survivor_id: UUID, loser_id: UUID) -> None:
        """With what was merged into the loser before: in one order, as a page locks them. Raises RecordChanged."""
        followers = await merge_store.followers_of(scope, loser_id)
        await repository.hold_many(scope, [survivor_id, loser_id, *followers])
        if await merge_store.followers_of(scope, loser_id) != followers:
            raise RecordChanged

    async def _pair(self, actor: Actor, survivor_id: UUID, loser_id: UUID) -> tuple[Record, Record]:
        if survivor_id == loser_id:
            raise NotMergeable("A contact cannot be merged into itself.")
        survivor, loser = await self._get(actor.scope, survivor_id), await self._get(actor.scope, loser_id)
        for record in (survivor, loser):
            if record.entity != "contact":
                raise NotMergeable("Only contacts can be merged.")
            if record.deleted_at is not None:
                raise NotMergeable(f"{record.data.get('name') or 'One of them'} is deleted, or merged already.")
        return survivor, loser

    async def _merge(self, actor: Actor, survivor: Record, loser: Record, fields: Mapping[str, str]) -> None:
        scope, chosen = actor.scope, [name for name, side in fields.items() if side == LOSER]
        data = {name: value for name, value in survivor.data.items() if name not in chosen}
        data = checked("contact", data | {name: loser.data[name] for name in chosen if name in loser.data})
        if data != survivor.data:
            await self._editor.write(scope, [Edit(survivor, data)], actor.name)
        followers = await merge_store.absorb(scope, survivor.id, loser.id, actor.name)
        await links.rest(scope, loser.id)
        await self._tell(scope, RecordChange(loser.id, loser.external_id or str(loser.id), "contact", loser.data, None), loser)
        moved = await self._followers.follow(scope, survivor.id, loser.id)
        changes = {name: _sides(survivor.data, data, name) for name in FIELDS if survivor.data.get(name) != data.get(name)}
        await merge_store.add(
            scope,
            survivor.id,
            loser.id,
            loser_version=loser.version,
            changes=changes,
            followers=followers,
            moved=moved,
            by=actor.name,
        )
        await self._audit.add(actor, "record.merged", survivor.id, {"loser_id": loser.id, "fields": sorted(changes)})

    async def unmerge(self, actor: Actor, loser_id: UUID, *, idempotency_key: str | None = None) -> Parted:
        """Both become what they were. What somebody changed since stays, and is named.

        Raises NotMerged, NotMergeable (the survivor was merged further: that goes first).
        """
        actor.require(Permission.MANAGE_RECORDS)
        async with once(actor, "unmerge_records", idempotency_key, {"loser_id": loser_id}) as call:
            if call.repeated:
                survivor_id = call.id("survivor_id")
                return Parted(await self._get(actor.scope, survivor_id), await self._get(actor.scope, loser_id), ())
            merge = await self._held_merge(actor, loser_id)
            changed = await self._part(actor, merge)
            call.result = {"survivor_id": str(merge.survivor_id)}
        return Parted(await self._get(actor.scope, merge.survivor_id), await self._get(actor.scope, loser_id), changed)

    async def _held_merge(self, actor: Actor, loser_id: UUID) -> RecordMerge:
        found = await merge_store.of_loser(actor.scope, loser_id)
        if found is None:
            raise NotMerged
        # First the records, then the merge: the order in which a merge takes them.
        held = await repository.hold_many(actor.scope, [found.survivor_id, loser_id, *found.followers])
        merge = await merge_store.of_loser(actor.scope, loser_id, lock=True)
        if merge is None or merge.id != found.id:
            raise NotMerged
        if held[merge.survivor_id].merged_into is not None:
            raise NotMergeable("The contact that stayed was merged into another one since; take that back first.")
        return merge

    async def _part(self, actor: Actor, merge: RecordMerge) -> list[ChangedSince]:
        scope = actor.scope
        survivor, loser = await self._get(scope, merge.survivor_id), await self._get(scope, merge.loser_id)
        data, changed = _restored(survivor, merge)
        if survivor.deleted_at is None and data != survivor.data:
            await self._editor.write(scope, [Edit(survivor, checked("contact", data))], actor.name)
        await merge_store.release(scope, merge, actor.name)
        await self._editor.wait(scope, [loser.id])
        await self._tell(scope, RecordChange(loser.id, loser.external_id or str(loser.id), "contact", None, loser.data), loser)
        await self._followers.part(scope, merge.survivor_id, merge.loser_id, merge.moved)
        await merge_store.undo(scope, merge.id, actor.name)
        await self._audit.add(actor, "record.unmerged", merge.survivor_id, {"loser_id": loser.id, "kept": [one.field for one in changed]})
        return changed + await self._followed(scope, merge, loser)

    async def _followed(self, scope: Scope, merge: RecordMerge, loser: Record) -> list[ChangedSince]:
        """What the loser's provider changed while it was merged."""
        before = (await repository.at_versions(scope, {loser.id: merge.loser_version})).get(loser.id, {})
        names = [name for name in FIELDS if before.get(name) != loser.data.get(name)]
        return [ChangedSince(loser.id, name, before.get(name), loser.data.get(name)) for name in names]

    async def merged_into(self, actor: Actor, survivor_id: UUID) -> list[RecordMerge]:
        """What was merged into a contact and is still, the latest first."""
        actor.require(Permission.READ_RECORDS)
        return await merge_store.of_survivor(actor.scope, survivor_id)

    async def lost_in(self, actor: Actor, loser_id: UUID) -> RecordMerge | None:
        """The merge by which a contact became part of another one; None where it did not, or not any more."""
        actor.require(Permission.READ_RECORDS)
        return await merge_store.of_loser(actor.scope, loser_id)

    async def _get(self, scope: Scope, record_id: UUID) -> Record:
        record = await repository.get(scope, record_id)
        if record is None:
            raise RecordNotFound
        return record

    async def _tell(self, scope: Scope, change: RecordChange, record: Record) -> None:
        if record.connection_id is not None:
            await self._feed.publish_many(scope, [page_event(record.connection_id, record.entity, [change])])


def _check_fields(fields: Mapping[str, str]) -> None:
    for name, side in fields.items():
        if name not in FIELDS:
            raise InvalidInput(fields={"fields": f"A contact has no field {name!r} to choose."})
        if side not in (SURVIVOR, LOSER):
            raise InvalidInput(fields={"fields": f"Choose survivor or loser for {name}."})


def _sides(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {side: data[name] for side, data in (("before", before), ("after", after)) if name in data}


def _restored(survivor: Record, merge: RecordMerge) -> tuple[dict[str, Any], list[ChangedSince]]:
    """The survivor without what the merge gave it, where that is still as it was given; and what is not."""
    data, changed = dict(survivor.data), []
    for name, sides in merge.changes.items():
        if data.get(name) != sides.get("after"):
            changed.append(ChangedSince(survivor.id, name, sides.get("before"), data.get(name)))
            continue
        data.pop(name, None)
        if "before" in sides:
            data[name] = sides["before"]
    return data, changed
