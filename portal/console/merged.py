"""What a contact's page says of merges: what is part of it, what it became part of, and who it may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.records.merge_models import RecordMerge
from app.records.models import Record
from portal.console.conflict_cards import title_of
from portal.console.fields import label_of
from portal.console.words import ALIKE_WORDS
from portal.forms import ids
from portal.session import actor, hub


@dataclass(frozen=True, slots=True)
class Merged:
    """What was merged into a contact."""

    id: UUID
    title: str
    merge: RecordMerge
    labels: Sequence[str]
    """The fields that were taken from it."""


async def merge_context(request: Request, record: Record) -> dict[str, Any]:
    """Nothing of it for other records."""
    if record.entity != "contact":
        return {"merged": [], "lost_in": None, "alike": [], "just_merged": None, "just_parted": None, "kept": []}
    services, who = hub(request), actor(request)
    into = await services.records.get(who, record.merged_into) if record.merged_into else None
    return {
        "merged": await _merged(request, record),
        "lost_in": (into, title_of(into)) if into else None,
        "alike": await services.duplicates.of(who, record.id) if record.deleted_at is None else [],
        "alike_words": ALIKE_WORDS,
        "just_merged": await _named(request, "merged"),
        "just_parted": await _named(request, "parted"),
        "kept": [label_of(name) for name in request.query_params.get("kept", "").split(",") if name],
    }


async def _merged(request: Request, record: Record) -> list[Merged]:
    merges = await hub(request).merges.merged_into(actor(request), record.id)
    losers = {one.id: one for one in await hub(request).records.get_many(actor(request), [merge.loser_id for merge in merges])}
    return [
        Merged(one.loser_id, title_of(losers.get(one.loser_id)), one, [label_of(name) for name in sorted(one.changes)]) for one in merges
    ]


async def _named(request: Request, parameter: str) -> tuple[UUID, str] | None:
    """The contact that the address names, with its title."""
    given = request.query_params.get(parameter)
    if not given:
        return None
    record = await hub(request).records.get(actor(request), ids([given])[0])
    return record.id, title_of(record)
