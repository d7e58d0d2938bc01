"""The editor of a stream's field mapping: its rows in one form, tried on stored objects, saved as a version."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connections.models import Connection
from app.connectors.base import FieldRow, Stream
from app.errors import InvalidInput, NotFound
from app.mappings.field_models import DEFAULT_VERSION, BackTest, FieldMappingVersion, PreviewedRecord
from app.mappings.transforms import TRANSFORMS
from app.paging import PageRequest
from portal.console.field_rows import GivenRow, custom_row, given_of, lines_of, missing, row_of, rows_in, targets_of
from portal.console.fields import Difference, differences
from portal.console.pages import connection_of, connector_of, staff_page
from portal.forms import new_key, read_form
from portal.rendering import wants_fragment
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
PREVIEWED = 10
LAST = (100, 500, 2000)
"""On how many stored objects rows can be tried."""
SHOWN_VERSIONS = 10
SHOWN_NAMES = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A stream of a connection, as the address names it."""

    connection: Connection
    provider: str
    stream: Stream

    @property
    def key(self) -> tuple[Any, str]:
        return self.connection.id, self.stream.name


@dataclass(frozen=True, slots=True)
class Tried:
    """A stored object, and what other rows would make of it."""

    title: str
    external_id: str
    changes: Sequence[Difference]
    error_before: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """What stands in the form, and what came of trying it."""

    given: Sequence[GivenRow]
    based_on: int
    note: str = ""
    last: int = LAST[0]
    problems: Mapping[str, str] | None = None
    tried: Sequence[Tried] | None = None
    back_test: BackTest | None = None
    opened: int | None = None
    """The row that was just added."""


async def place_of(request: Request) -> Place:
    """Raises NotFound."""
    connection = await connection_of(request)
    connector = connector_of(request, connection)
    found = connector.streams.get(request.path_params["stream"])
    if found is None or found.record_stream != found.name:
        raise NotFound("This connection has no such stream.")
    return Place(connection, connector.title, found)


async def edit(request: Request) -> Response:
    """The rows of a version, the one that counts where none is asked for."""
    place, asked = await place_of(request), request.query_params.get("version", "")
    mappings, who = hub(request).field_mappings, actor(request)
    if asked.isdecimal() and asked.isascii():
        version = await mappings.version(who, *place.key, int(asked))
    else:
        version = await mappings.effective(who, *place.key)
    return await _page(request, place, Work([given_of(row) for row in version.rows], version.version))


async def work(request: Request) -> Response:
    """Try what stands in the form, change its rows, or save it as a version."""
    actor(request).require(Permission.MANAGE_CONNECTIONS)
    place, form = await place_of(request), await read_form(request)
    done, _, about = form.text("do").partition(":")
    last = form.text("last")
    work = Work(rows_in(form), form.integer("based_on"), form.text("note"), int(last) if last in map(str, LAST) else LAST[0])
    if done in ("add", "back"):
        return await _page(request, place, _with_row(place, work, done, about))
    rows, kept, problems = _rows(place, work.given)
    if done == "save" and not problems:
        try:
            saved = await hub(request).field_mappings.save(
                actor(request), *place.key, rows, note=work.note, idempotency_key=form.idempotency_key
            )
        except InvalidInput as refusal:
            problems = _placed(refusal, kept)
        else:
            return see_other(f"{_address(request, place)}/versions/{saved.version}?done=mapping-saved")
    work = await _tried(request, place, work, rows, kept, problems, back_test=done == "test")
    return await _page(request, place, work, status=422 if done == "save" else 200, fragment=wants_fragment(request))


def _with_row(place: Place, work: Work, done: str, about: str) -> Work:
    """One row more: a new one, one for a name that nobody reads, or the connector's own again."""
    if done == "back":
        row = next((given_of(row) for row in place.stream.fields.rows if row.target == about), GivenRow())
    else:
        row = custom_row(place.stream.entity, about) if about else GivenRow()
    return replace(work, given=[*work.given, row], opened=len(work.given))


def _rows(place: Place, given: Sequence[GivenRow]) -> tuple[list[FieldRow], list[int], dict[str, str]]:
    """The rows that stay, their places in the form, and what cannot be read of them."""
    rows, kept, problems = [], [], {}
    for index, one in enumerate(given):
        if one.removed:
            continue
        try:
            rows.append(row_of(place.stream.entity, one))
            kept.append(index)
        except ValueError as error:
            problems[f"row-{index}"] = str(error)
    return rows, kept, problems


def _placed(refusal: InvalidInput, kept: Sequence[int]) -> dict[str, str]:
    """What is wrong, by its place in the form."""
    found = {}
    for name, sentence in refusal.fields.items():
        place, _, index = name.partition(".")
        found[f"row-{kept[int(index)]}" if index else place] = sentence
    return found


async def _tried(
    request: Request,
    place: Place,
    work: Work,
    rows: Sequence[FieldRow],
    kept: Sequence[int],
    problems: dict[str, str],
    *,
    back_test: bool,
) -> Work:
    """What the rows would make of stored objects; where they cannot be used, what is wrong with them."""
    mappings, who = hub(request).field_mappings, actor(request)
    if not problems:
        try:
            await mappings.check(who, *place.key, rows)
        except InvalidInput as refusal:
            problems = _placed(refusal, kept)
    tested, previews = None, None
    with suppress(InvalidInput):  # which has been said
        if back_test:
            tested = await mappings.back_test(who, *place.key, rows, last=work.last)
        else:
            previews = await mappings.preview(who, *place.key, rows, first=PREVIEWED)
    shown = tested.examples if tested else previews
    return replace(work, problems=problems, back_test=tested, tried=None if shown is None else [tried_of(one) for one in shown])


def tried_of(previewed: PreviewedRecord) -> Tried:
    before = {change.field: change.before for change in previewed.changes}
    after = {change.field: change.after for change in previewed.changes}
    return Tried(
        previewed.title or previewed.external_id,
        previewed.external_id,
        differences(before, after),
        previewed.error_before,
        previewed.error,
    )


async def _page(request: Request, place: Place, work: Work, *, status: int = 200, fragment: bool = False) -> Response:
    default, problems = place.stream.fields.rows, dict(work.problems or {})
    beside = {} if fragment else await _beside(request, place, work)
    return await staff_page(
        request,
        "field_mapping.html",
        SECTION,
        status=200 if fragment else status,
        block="outcome" if fragment else None,
        place=place,
        work=work,
        lines=lines_of(work.given, default, problems),
        missing=missing(work.given, default),
        problems=problems,
        previewed=PREVIEWED,
        last_options=[(number, f"the last {number}") for number in LAST],
        address=_address(request, place),
        **beside,
    )


async def _beside(request: Request, place: Place, work: Work) -> dict[str, Any]:
    """What the page shows beside the rows: versions, names that nobody reads, what can be written in a row."""
    mappings, who = hub(request).field_mappings, actor(request)
    may_read = who.may(Permission.READ_RECORDS)
    unread = await mappings.discovered(who, *place.key) if may_read else []
    given = {one.path for one in work.given if not one.removed}
    versions = await mappings.versions(who, *place.key, PageRequest(SHOWN_VERSIONS))
    return {
        "in_force": await mappings.effective(who, *place.key),
        "versions": versions.items,
        "reach": await mappings.reach(who, *place.key),
        "unread": [one for one in unread if one.path not in given][:SHOWN_NAMES],
        "targets": targets_of(place.stream.entity),
        "transforms": sorted(TRANSFORMS),
        "may_edit": who.may(Permission.MANAGE_CONNECTIONS) and may_read,
        "idempotency_key": new_key(),
    }


def _address(request: Request, place: Place) -> str:
    return f"{visit(request).base}/connections/{place.connection.id}/streams/{place.stream.name}/fields"


def version_name(version: FieldMappingVersion, provider: str) -> str:
    return f"The rows that come with {provider}" if version.version == DEFAULT_VERSION else f"Version {version.version}"
