"""One version of a field mapping: how it differs from the one that counts, and letting it count."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.connectors.base import FieldRow
from app.errors import InvalidInput
from app.mappings.field_models import DEFAULT_VERSION, BackTest, FieldMappingVersion, RowChange
from app.syncs.service import ConnectionNotUsable, SyncInProgress
from portal.console.field_mappings import SECTION, Place, place_of, tried_of, version_name
from portal.console.field_rows import field_label, given_of
from portal.console.fields import Difference
from portal.console.pages import staff_page
from portal.forms import new_key, read_form
from portal.session import actor, hub, see_other, visit

TESTED = 500
SHOWN = 5
_PARTS = {
    "path": "read from",
    "transforms": "done to it",
    "default": "without a value",
    "required": "must be there",
    "direction": "way",
}  # fmt: skip


async def show(request: Request) -> Response:
    place, version = await place_of(request), await _version(request)
    mappings, who = hub(request).field_mappings, actor(request)
    in_force = await mappings.effective(who, *place.key)
    return await staff_page(
        request,
        "field_version.html",
        SECTION,
        place=place,
        version=version,
        name=version_name(version, place.provider),
        in_force=in_force,
        in_force_name=version_name(in_force, place.provider),
        changes=changes_of(await mappings.diff(who, *place.key, in_force.version, version.version)),
        address=_address(request, place),
    )


async def _version(request: Request) -> FieldMappingVersion:
    path = request.path_params
    return await hub(request).field_mappings.version(actor(request), path["connection_id"], path["stream"], path["version"])


def changes_of(changes: Sequence[RowChange]) -> list[Difference]:
    """Row by row: what goes, what comes, and which part of it is otherwise."""
    found = []
    for change in changes:
        label = field_label(change.target)
        if change.before is None or change.after is None:
            found.append(Difference(label, _sentence(change.before), _sentence(change.after)))
        else:
            before, after = _parts(change.before), _parts(change.after)
            found += [Difference(f"{label}: {_PARTS[part]}", before[part], after[part]) for part in change.differs if part in _PARTS]
    return found


def _parts(row: FieldRow) -> dict[str, str]:
    given = given_of(row)
    return {
        "path": given.path,
        "transforms": ", ".join(given.transforms.splitlines()),
        "default": given.default,
        "required": "Yes" if given.required else "No",
        "direction": "both ways" if given.writes else "only read",
    }


def _sentence(row: FieldRow | None) -> str:
    if row is None:
        return ""
    parts = _parts(row)
    return ", ".join(filter(None, (parts["path"], parts["transforms"], parts["direction"])))


async def ask(request: Request) -> Response:
    """Publishing changes records, so it asks first, and says how many."""
    actor(request).require(Permission.MANAGE_CONNECTIONS)
    return await _confirmation(request, await place_of(request), await _version(request))


async def _confirmation(
    request: Request, place: Place, version: FieldMappingVersion, *, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    tested, wrong = await _back_test(request, place, version)
    return await staff_page(
        request,
        "field_publication.html",
        SECTION,
        status=status,
        place=place,
        version=version,
        name=version_name(version, place.provider),
        reach=await hub(request).field_mappings.reach(actor(request), *place.key),
        tested=tested,
        tried=[tried_of(one) for one in tested.examples[:SHOWN]] if tested else [],
        problems={**wrong, **(problems or {})},
        address=_address(request, place),
        idempotency_key=new_key(),
    )


async def _back_test(request: Request, place: Place, version: FieldMappingVersion) -> tuple[BackTest | None, dict[str, str]]:
    if not actor(request).may(Permission.READ_RECORDS):
        return None, {}
    try:
        return await hub(request).field_mappings.back_test(actor(request), *place.key, version.rows, last=TESTED), {}
    except InvalidInput as refusal:  # a later connector may not know what an earlier one knew
        return None, {"": "; ".join(refusal.fields.values())}


async def publish(request: Request) -> Response:
    """Let it count; with the wish for it, what was read before is translated by it at once."""
    who, form, place = actor(request), await read_form(request), await place_of(request)
    who.require(Permission.MANAGE_CONNECTIONS)
    version, mappings = await _version(request), hub(request).field_mappings
    is_draft = version.version != DEFAULT_VERSION and version.published_at is None
    let_count = mappings.publish if is_draft else mappings.roll_back
    try:
        await let_count(who, *place.key, version.version, idempotency_key=form.idempotency_key)
    except InvalidInput as refusal:
        return await _confirmation(request, place, version, status=422, problems={"": "; ".join(refusal.fields.values())})
    if form.text("remap") != "yes":
        return see_other(f"{_address(request, place)}?done=mapping-published")
    return await _remap(request, place, f"{form.idempotency_key}-remap")


async def remap(request: Request) -> Response:
    """Translate what was read before by the mapping that counts."""
    form = await read_form(request)
    return await _remap(request, await place_of(request), form.idempotency_key)


async def _remap(request: Request, place: Place, key: str) -> Response:
    """A run that is going on goes first; the mapping counts already."""
    base, connection_id = visit(request).base, place.connection.id
    try:
        run = await hub(request).syncs.start(actor(request), connection_id, streams=[place.stream.name], mode="remap", idempotency_key=key)
    except SyncInProgress as refusal:
        return see_other(f"{base}/runs/{refusal.existing_run_id}?done=remap-later")
    except ConnectionNotUsable:
        return see_other(f"{_address(request, place)}?done=remap-later")
    return see_other(f"{base}/runs/{run.id}?done=remapping")


def _address(request: Request, place: Place) -> str:
    return f"{visit(request).base}/connections/{place.connection.id}/streams/{place.stream.name}/fields"
