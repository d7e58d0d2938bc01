"""The rules of a stream: who wins where both sides changed, what deletions do, what is created, and the brake."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.conflicts.models import StreamPolicy
from app.conflicts.policies import HUB_DELETIONS, PROVIDER_DELETIONS
from app.conflicts.rules import Rule
from app.conflicts.service import PolicyChanged
from app.connectors.base import Stream
from app.errors import InvalidInput, NotFound
from portal.console.conflict_rules import offered
from portal.console.fields import label_of
from portal.console.pages import connection_of, connector_of, staff_page
from portal.forms import Form, read_form
from portal.session import actor, hub, see_other, visit

SECTION = "Connections"
FIELD = "field-"


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the form."""

    conflicts: str
    fields: Mapping[str, str]
    provider_deletions: str
    hub_deletions: str
    creates_missing: bool
    brake_share: str
    brake_minimum: str
    version: int


async def edit(request: Request) -> Response:
    actor(request).require(Permission.MANAGE_CONNECTIONS)
    stream = await _stream(request)
    policy = await hub(request).conflicts.policy(actor(request), request.path_params["connection_id"], stream.name)
    return await _form_page(request, stream, _given_of(policy))


async def update(request: Request) -> Response:
    actor(request).require(Permission.MANAGE_CONNECTIONS)
    form, stream = await read_form(request), await _stream(request)
    given = _given_in(form, stream)
    try:
        before = await hub(request).conflicts.policy(actor(request), request.path_params["connection_id"], stream.name)
        await hub(request).conflicts.set_policy(actor(request), _policy(before, given), stream)
    except PolicyChanged as refusal:
        return await _form_page(request, stream, replace(given, version=before.version), status=409, problems={"": refusal.message})
    except InvalidInput as refusal:
        return await _form_page(request, stream, given, status=422, problems=dict(refusal.fields))
    return see_other(f"{visit(request).base}/connections/{request.path_params['connection_id']}?done=rules-saved")


async def _stream(request: Request) -> Stream:
    connection = await connection_of(request)
    found = connector_of(request, connection).streams.get(request.path_params["stream"])
    if found is None or found.record_stream != found.name:
        raise NotFound("This connection has no such stream.")
    return found


def _given_of(policy: StreamPolicy) -> Given:
    return Given(
        policy.conflicts,
        dict(policy.field_conflicts),
        policy.provider_deletions,
        policy.hub_deletions,
        policy.creates_missing,
        f"{policy.brake_share * 100:g}",
        str(policy.brake_minimum),
        policy.version,
    )


def _given_in(form: Form, stream: Stream) -> Given:
    return Given(
        form.text("conflicts"),
        {name: rule for name, rule in form.starting(FIELD).items() if name in fields_of(stream)},
        form.text("provider_deletions"),
        form.text("hub_deletions") or "tombstone",
        form.checked("creates_missing"),
        form.text("brake_share"),
        form.text("brake_minimum"),
        form.integer("version"),
    )


def _policy(before: StreamPolicy, given: Given) -> StreamPolicy:
    """What was chosen, made from the version that was seen. Raises InvalidInput."""
    if given.conflicts not in list(Rule) or not set(given.fields.values()) <= set(Rule):
        raise InvalidInput(fields={"conflicts": "Choose one of the rules."})
    if given.provider_deletions not in PROVIDER_DELETIONS or given.hub_deletions not in HUB_DELETIONS:
        raise InvalidInput(fields={"provider_deletions": "Choose what a deletion does."})
    return replace(
        before,
        conflicts=Rule(given.conflicts),
        field_conflicts={name: Rule(rule) for name, rule in given.fields.items()},
        provider_deletions=given.provider_deletions,
        hub_deletions=given.hub_deletions,
        creates_missing=given.creates_missing,
        brake_share=_number("brake_share", given.brake_share, 100) / 100,
        brake_minimum=int(_number("brake_minimum", given.brake_minimum, 1_000_000)),
        version=given.version,
    )


def _number(name: str, text: str, most: int) -> float:
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise InvalidInput(fields={name: f"Write a number from 0 to {most:,}."})
    return found


def fields_of(stream: Stream) -> list[str]:
    """The top-level fields that the stream's field mapping covers, in its order."""
    names = dict.fromkeys(row.target.partition(".")[0].removesuffix("[]") for row in stream.fields.rows)
    return [name for name in names if name not in ("edited_at", "custom")]


async def _form_page(
    request: Request, stream: Stream, given: Given, *, status: int = 200, problems: dict[str, str] | None = None
) -> Response:
    connection = await connection_of(request)
    return await staff_page(
        request,
        "stream_rules.html",
        SECTION,
        status=status,
        connection=connection,
        provider=connector_of(request, connection).title,
        stream=stream,
        rules=[Rule.ASK, *(rule for rule in offered(stream) if rule is not Rule.ASK)],
        fields=[(name, label_of(name)) for name in fields_of(stream)],
        deletes=stream.writer.deletes if stream.writer else None,
        given=given,
        problems=problems or {},
    )


async def rules_of(request: Request, streams: Mapping[str, Stream]) -> list[tuple[Stream, StreamPolicy]]:
    """The streams that have rules, with what counts for each."""
    whole: list[Any] = [stream for stream in streams.values() if stream.record_stream == stream.name]
    policies = hub(request).conflicts
    return [(stream, await policies.policy(actor(request), request.path_params["connection_id"], stream.name)) for stream in whole]
