"""Takes over one page: parts, records, mappings, failed records and what is projected from them.

Everything happens in the caller's transaction, together with the page's checkpoint. A record that cannot be taken over
becomes a failed record; the others go on.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec

from app.actors import Scope
from app.connectors.base import BadItem, Item, Page, Part
from app.database import transaction
from app.errors import FixBy
from app.feed.service import FeedService
from app.mappings import parts as parts_store
from app.mappings import repository as mappings
from app.mappings.repository import Known
from app.mappings.translate import RecordInvalid, Translator
from app.quotes.models import ConnectionRef, ProjectionFailure
from app.records import repository as records
from app.records.events import page_event
from app.records.models import RecordChange
from app.syncs import creations, deletions, failures, merging, rules
from app.syncs.batches import Ahead, Ready
from app.syncs.failures import Failure
from app.syncs.merging import Candidate
from app.syncs.models import Counts
from app.syncs.sources import UNUSABLE, Source
from app.syncs.walks import lock_records_of

NOTHING: Ahead = {}
SETTLED = ("synced", "pending", "conflict")
"""What the provider was last seen to have was taken in; the same again says nothing new."""

Project = Callable[[Scope, ConnectionRef, Sequence[RecordChange]], Awaitable[Sequence[ProjectionFailure]]]
"""Brings what people decide on (quotes) in step with changed records, in the same transaction."""


@dataclass(slots=True)
class Outcome:
    """What became of a page's objects, one by one."""

    unchanged: list[str] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    deletions: list[tuple[Item, Known]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    changes: list[RecordChange] = field(default_factory=list)


class PageWriter:
    """Writes pages of one kind of source. `projections` are by entity."""

    def __init__(self, projections: Mapping[str, Project], feed: FeedService) -> None:
        self._projections = projections
        self._feed = feed

    async def write(self, source: Source, page: Page, ahead: Ahead = NOTHING) -> tuple[Counts, list[str]]:
        """Store the page. Returns what became of its records, and the external ids that it named, but for those known to be gone."""
        counts, outcome = await self.write_each(source, page, ahead)
        gone = {item.external_id for item in page.items if item.deleted}.intersection(outcome.unchanged)
        return counts, [id for id in dict.fromkeys(item.external_id for item in page.items) if id not in gone]

    async def write_each(self, source: Source, page: Page, ahead: Ahead = NOTHING) -> tuple[Counts, Outcome]:
        """Store the page. Returns what became of its records, and of each object. `ahead` are translations that were made already."""
        scope, stream = source.scope, source.stream.record_stream
        await lock_records_of(scope, source.connection_id, stream)
        items = {item.external_id: item for item in page.items}
        again = await self._take_parts(source, page.parts, items)
        outcome = await _examine(source, [*items.values(), *again], page.read_after, ahead)
        outcome.failures += [_unreadable(bad) for bad in page.bad]
        created, updated, deleted = await self._store(source, outcome)
        await _settle_failures(source, outcome, [part.external_id for part in page.parts])
        counts = Counts(
            read=len(items) + len(again) + len(page.bad),
            created=created,
            updated=updated,
            unchanged=len(items) + len(again) + len(page.bad) - created - updated - deleted - len(outcome.failures),
            deleted=deleted,
            failed=len(outcome.failures),
        )
        return counts, outcome

    async def _take_parts(self, source: Source, parts: Sequence[Part], items: Mapping[str, Item]) -> list[Item]:
        """Store parts; returns the known parents whose parts changed, so that they are assembled again."""
        if not parts:
            return []
        where = (source.scope, source.connection_id, source.stream.record_stream)
        latest = {(part.kind, part.external_id): part for part in parts}
        parents = await parts_store.put_parts(*where, list(latest.values()))
        missing = sorted(parents - items.keys())
        # What failed is later than what the mapping holds, and may be well with its new parts.
        failed = await failures.open_payloads(*where, missing)
        known = await mappings.payloads(*where, [external_id for external_id in missing if external_id not in failed])
        again = [Item(external_id, payload, version) for external_id, payload, version in known]
        return [Item(external_id, payload) for external_id, payload in failed.items()] + again

    async def _store(self, source: Source, outcome: Outcome) -> tuple[int, int, int]:
        """Write what changed; a value that Postgres refuses is found by halving and becomes a failed record."""
        if outcome.deletions:  # two steps, which lock: first all of it in one order
            touched = [one.known.record_id for one in outcome.candidates if one.known] + [one.record_id for _, one in outcome.deletions]
            await records.hold_with_survivors(source.scope, touched)
        changes = await self._write_isolating(source, outcome.candidates, outcome.failures)
        changes += await deletions.store(source, outcome.deletions)
        outcome.changes = changes
        news = [change for change in changes if change.says_something]
        refused = await self._project(source, outcome, news)
        seen = [change for change in news if change.external_id not in refused]
        if seen:
            await self._feed.publish_many(source.scope, [page_event(source.connection_id, source.translator.entity_name, seen)])
        kinds = Counter(change.kind for change in seen)
        return kinds["created"], kinds["updated"], kinds["deleted"]

    async def _project(self, source: Source, outcome: Outcome, news: Sequence[RecordChange]) -> set[str]:
        """Let quotes follow what changed, and what failed before: its record may be stored without a quote. What is refused fails."""
        project = self._projections.get(source.translator.entity_name)
        again = {one.item.external_id for one in outcome.candidates if one.known is not None and one.known.status == "failed"}
        looked_at = [*news, *(change for change in outcome.changes if change.external_id in again and not change.says_something)]
        if project is None or not looked_at:
            return set()
        origin = ConnectionRef(source.connection_id, source.provider, source.account.currency, source.account.time_zone or "UTC")
        payloads = {candidate.item.external_id: candidate.item.payload for candidate in outcome.candidates}
        refused = {failure.external_id: failure.message for failure in await project(source.scope, origin, looked_at)}
        outcome.failures += [Failure(id, payloads.get(id, b""), "project", message) for id, message in refused.items()]
        return set(refused)

    async def _write_isolating(self, source: Source, candidates: Sequence[Candidate], failed: list[Failure]) -> list[RecordChange]:
        if not candidates:
            return []
        try:
            async with transaction(source.scope):
                return await merging.store(source, candidates)
        except asyncpg.DataError as error:
            if len(candidates) == 1:
                failed.append(_refused_by_database(candidates[0], error))
                return []
        middle = len(candidates) // 2
        first = await self._write_isolating(source, candidates[:middle], failed)
        return first + await self._write_isolating(source, candidates[middle:], failed)


async def _examine(source: Source, items: Sequence[Item], read_after: datetime | None, ahead: Ahead) -> Outcome:
    """Sort the items by what has to be done: nothing, store, delete, or keep as failed."""
    outcome = Outcome()
    if not items:
        return outcome
    where = (source.scope, source.connection_id, source.stream.record_stream)
    ids = [item.external_id for item in items]
    known = await mappings.known(*where, ids)
    if await creations.adopt(source, [item for item in items if item.external_id not in known and not item.deleted]):
        known = await mappings.known(*where, ids)
    parts = await parts_store.parts_of(*where, ids) if source.stream.has_parts else {}
    for item in items:
        held = known.get(item.external_id)
        if held is not None and (_is_older(item, held) or _is_overtaken(source, item, held, read_after)):
            outcome.unchanged.append(item.external_id)
        else:
            _examine_one(source, item, held, parts.get(item.external_id, ()), outcome, ahead.get(item.external_id))
    return outcome


def _examine_one(
    source: Source, item: Item, known: Known | None, parts: Sequence[Part], outcome: Outcome, ready: Ready | None = None
) -> None:
    if item.deleted:
        if known is not None and known.status != "deleted":
            outcome.deletions.append((item, known))
        else:
            outcome.unchanged.append(item.external_id)
    elif known is None and ready is not None and ready.item is item and not parts:
        outcome.candidates.append(Candidate(item, None, ready.new.fingerprint, ready.new.data, new=ready.new))
    else:
        fingerprint = rules.fingerprint(item.payload, parts, source.translator.version, source.account)
        if known is not None and known.fingerprint == fingerprint and known.status in SETTLED:
            outcome.unchanged.append(item.external_id)
        else:
            _translate(source, item, known, parts, fingerprint, outcome)


def _translated_by(source: Source, item: Item, known: Known | None, parts: Sequence[Part]) -> Translator | None:
    """By which earlier field mapping this very object was taken over; None: it is new or has changed."""
    if known is None or known.fingerprint is None:
        return None
    found = (one for one in source.earlier if rules.fingerprint(item.payload, parts, one.version, source.account) == known.fingerprint)
    return next(found, None)


def _is_older(item: Item, known: Known) -> bool:
    """Law 8: a late answer does not overwrite a later version."""
    return item.version is not None and known.provider_version is not None and item.version < known.provider_version


def _is_overtaken(source: Source, item: Item, known: Known, read_after: datetime | None) -> bool:
    """Law 8 where the provider has no times: somebody else has brought or read the object since this page was asked for.

    Whoever walks such a stream walks it whole, or with an overlap, so it comes again.
    """
    if item.version is not None or read_after is None or known.last_synced_at is None:
        return False
    return known.last_synced_at > read_after and known.synced_by != source.name


def _translate(source: Source, item: Item, known: Known | None, parts: Sequence[Part], fingerprint: bytes, outcome: Outcome) -> None:
    try:
        document = source.stream.assemble(item.payload, parts, source.account)
    except UNUSABLE as error:
        outcome.failures.append(Failure(item.external_id, item.payload, "assemble", _sentence(error)))
        return
    try:
        entity = source.translator.translate(document, source.account)
        data = msgspec.json.encode(entity)
    except RecordInvalid as error:
        outcome.failures.append(Failure(item.external_id, item.payload, error.stage, str(error)))
        return
    except UNUSABLE as error:
        outcome.failures.append(Failure(item.external_id, item.payload, "translate", _sentence(error)))
        return
    outcome.candidates.append(Candidate(item, known, fingerprint, data, _translated_by(source, item, known, parts)))


def _sentence(error: Exception) -> str:
    text = str(error).strip()[:500] or type(error).__name__
    return text if text.endswith(".") else text + "."


def _unreadable(bad: BadItem) -> Failure:
    return Failure(bad.external_id, bad.payload, "read", bad.message)


def _refused_by_database(candidate: Candidate, error: asyncpg.DataError) -> Failure:
    return Failure(
        candidate.item.external_id, candidate.item.payload, "store", f"A value cannot be stored: {error}.", "value_refused", FixBy.US
    )


async def _settle_failures(source: Source, outcome: Outcome, parts: Sequence[str]) -> None:
    """Keep what failed with its cause, and close what is well now."""
    where = (source.scope, source.connection_id, source.stream.record_stream)
    failed = {failure.external_id: failure for failure in outcome.failures}
    done = [candidate.item.external_id for candidate in outcome.candidates] + [item.external_id for item, _ in outcome.deletions]
    healed = [external_id for external_id in [*done, *outcome.unchanged, *parts] if external_id not in failed]
    if healed:
        await failures.heal(*where, healed)
    if failed:
        await failures.put_failures(*where, source.run_id, list(failed.values()))
        await mappings.mark_failed(*where, {external_id: failure.message for external_id, failure in failed.items()})
