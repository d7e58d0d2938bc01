"""A rule for a field, made from one of its conflicts: first what it decides, then deciding it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.actors import Permission
from app.conflicts.models import DELETED, Conflict
from app.conflicts.policies import has_times
from app.conflicts.rules import Rule
from app.connectors.base import Stream
from app.errors import InvalidInput, NotFound
from portal.console.conflict_cards import Card
from portal.console.conflicts import SECTION, cards_of
from portal.console.pages import connector_of, staff_page
from portal.forms import new_key, read_form
from portal.session import actor, hub, see_other, visit

SHOWN = 20
DECIDES = {Rule.PROVIDER_WINS: "theirs", Rule.HUB_WINS: "ours"}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would decide now."""

    rule: Rule
    count: int
    """Open conflicts of the field that it decides."""
    cards: list[Card]
    """The first of them."""


async def ask(request: Request) -> Response:
    """Choose the rule; with one chosen, what it decides now."""
    actor(request).require(Permission.MANAGE_CONNECTIONS)
    conflict = await _conflict(request)
    (card,) = await cards_of(request, [conflict])
    stream = await _stream(request, conflict)
    chosen = request.query_params.get("rule", "")
    return await staff_page(
        request,
        "conflict_rule.html",
        SECTION,
        card=card,
        rules=offered(stream),
        chosen=chosen,
        idempotency_key=new_key(),
        preview=await _preview(request, conflict, _rule(chosen)) if chosen else None,
    )


async def make(request: Request) -> Response:
    form, conflict = await read_form(request), await _conflict(request)
    stream = await _stream(request, conflict)
    rule, key = _rule(form.text("rule")), form.idempotency_key
    _, result = await hub(request).conflicts.always(actor(request), conflict.id, rule, stream, idempotency_key=key)
    decided = "".join(f"&decided={each}" for each in result.resolved[:25])
    return see_other(f"{visit(request).base}/conflicts?done=rule-made&ruled={len(result.resolved)}{decided}")


async def _conflict(request: Request) -> Conflict:
    conflict = await hub(request).conflicts.get(actor(request), request.path_params["conflict_id"])
    if conflict.field == DELETED:
        raise NotFound("Deletions have rules of their own; they are with the stream's rules.")
    return conflict


async def _stream(request: Request, conflict: Conflict) -> Stream:
    connection = await hub(request).connections.get(actor(request), conflict.connection_id)
    return connector_of(request, connection).streams[conflict.stream]


async def _preview(request: Request, conflict: Conflict, rule: Rule) -> Preview:
    alike = await hub(request).conflicts.alike(actor(request), conflict) if rule in DECIDES else []
    return Preview(rule, len(alike), await cards_of(request, alike[:SHOWN]))


def offered(stream: Stream) -> list[Rule]:
    """The rules that a stream can have."""
    return [Rule.PROVIDER_WINS, Rule.HUB_WINS, *([Rule.NEWEST] if has_times(stream) else []), Rule.ASK]


def _rule(text: str) -> Rule:
    if text not in list(Rule):
        raise InvalidInput(fields={"rule": "Choose one of the rules."})
    return Rule(text)
