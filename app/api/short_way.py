"""Answers a read whose caller and document were seen before, without entering the library's view.

It takes the steps that the long way takes (which text, is it allowed, what does it cost) by the same functions, and gives
way to it wherever there is anything to explain: then it has read nothing, and what it counted it gives back. Who asks is
not looked up first: the statement itself carries the condition that the token still stands, so a revoked token reads
nothing either.
"""

from hashlib import sha256

import msgspec
from graphql import GraphQLSchema
from starlette.requests import Request
from starlette.responses import Response

from app.actors import Actor
from app.api.accept import wants_event_stream, wants_graphql_response
from app.api.answers import conditional, media_type
from app.api.asked import Asked, from_address, from_body, wants_cost
from app.api.bounded import BoundedCache
from app.api.context import Context
from app.api.gate.admission import Gate
from app.api.identity import Caller, Credential
from app.api.masking import presented
from app.api.reads.answers import Bound, Reads, as_error, run
from app.bootstrap import Hub
from app.errors import HubError

_CALLERS = 10_000


class ShortWay:
    """Knows the callers that the long way let in, by the digests of their tokens."""

    def __init__(self, schema: GraphQLSchema, reads: Reads) -> None:
        self.schema = schema
        self.reads = reads
        self._callers: BoundedCache[bytes, Actor] = BoundedCache(_CALLERS, _CALLERS)

    def remember(self, context: Context) -> None:
        """The long way has found out who this is."""
        if context.credential is not None and context.credential.is_token:
            self._callers.put(_digest(context.credential), context.actor, size=1)

    async def answer(self, request: Request, caller: Caller) -> Response | None:
        """None: the long way answers."""
        try:
            credential = caller.credential()
            actor = self._callers.get(_digest(credential)) if credential.is_token else None
            if actor is None or (asked := await _asked(request)) is None:
                return None
            return await self._read(request, Context(_hub(request), caller, credential, actor), asked)
        except HubError:
            return None

    async def _read(self, request: Request, context: Context, asked: Asked) -> Response | None:
        found = await self._priced(context, asked)
        if found is None:
            return None
        bound, cost = found
        credential, rates = context.credential, Gate.of(context.hub).rates
        assert credential is not None
        proof = context.hub.organizations.proof(credential.secret, context.actor)
        await rates.take(context.actor, cost)
        try:
            answers = await run(bound, context.actor, proof)
        except Exception as error:
            return _response(request, {"data": None, "errors": [presented(as_error(error, bound), context).formatted]})
        if answers is None:
            self._callers.drop(_digest(credential))
            rates.give_back(context.actor, cost)
            return None
        return _response(request, {"data": answers})

    async def _priced(self, context: Context, asked: Asked) -> tuple[Bound, int] | None:
        """The read, allowed, and its cost. What the long way would refuse raises or is None."""
        gate = Gate.of(context.hub)
        text = await gate.text(asked, context, self.schema)
        checked = gate.check(text, context, self.schema) if text else None
        if checked is None or checked.errors or checked.document is None:
            return None
        known = self.reads.known(checked.document, checked.text, asked.operation_name)
        if known is None:
            return None
        cost = gate.price(checked, asked.operation_name, asked.variables)  # counts the values before anybody works on them
        bound = self.reads.bind(known, asked.variables, context.actor, context.hub)
        return None if bound is None or bound.plan.rest is not None else (bound, cost)


async def _asked(request: Request) -> Asked | None:
    """None for what is not one plain read: a stream, or a question about its cost."""
    accept = request.headers.get("accept")
    if request.method not in ("GET", "POST") or wants_event_stream(accept) or "text/html" in (accept or ""):
        return None
    if request.method == "GET":
        asked = from_address(request.query_params)
    else:
        asked = from_body(request.headers.get("content-type"), await request.body())
    return None if wants_cost(asked.extensions) else asked


def _response(request: Request, answer: dict[str, object]) -> Response:
    kind = media_type(wants_graphql_response(request.headers.get("accept")))
    response = Response(msgspec.json.encode(answer), media_type=kind)
    if request.method == "GET" and "errors" not in answer:
        return conditional(response, request.headers.get("if-none-match"))
    return response


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def _digest(credential: Credential) -> bytes:
    return sha256(credential.secret.encode()).digest()
