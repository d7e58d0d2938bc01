"""Runs what was planned: one round trip for all of an operation's root fields that a statement could be made of."""

from collections.abc import AsyncIterator, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from app.actors import Actor
from app.api.bounded import BoundedCache
from app.api.reads.plans import KnownDocument, Plan, find_operation
from app.api.reads.statement import Unplannable, Values
from app.api.reads.viewers import environment_of, viewer_of
from app.bootstrap import Hub
from app.database import fetch_row
from app.errors import InvalidInput
from app.organizations.api_tokens import Proof

_DOCUMENTS, _CHARACTERS = 500, 500_000


@dataclass(frozen=True, slots=True)
class Bound:
    """A plan with the values for one request."""

    plan: Plan
    parameters: list[Any]


class Reads:
    """The planned documents of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._documents: BoundedCache[Hashable, KnownDocument] = BoundedCache(_DOCUMENTS, _CHARACTERS)

    def known(self, document: DocumentNode, query: str, operation_name: str | None) -> KnownDocument | None:
        """The operation of a valid document with what was planned for it; None when it is no query."""
        key = (query, operation_name)
        found = self._documents.get(key)
        if found is None:
            operation = find_operation(document, operation_name)
            if operation is None:
                return None
            found = KnownDocument(self.schema, document, operation)
            self._documents.put(key, found, size=len(query))
        return found

    def bind(self, known: KnownDocument, given: Mapping[str, Any] | None, actor: Actor, hub: Hub) -> Bound | None:
        """What is to be run; None when only the executor can answer, or knows what is wrong with the request."""
        try:
            variables = known.variables(given)
            plan = known.plan(variables, viewer_of(actor))
            if not plan.planned:
                return None
            values = Values(actor.organization_id, actor.scope.client_id, environment_of(hub), known.arguments(plan, variables))
            return Bound(plan, [binder(values) for binder in plan.binders])
        except (Unplannable, InvalidInput, GraphQLError):
            return None


async def run(bound: Bound, actor: Actor, proof: Proof | None = None) -> dict[str, msgspec.Raw] | None:
    """The JSON of each planned root field, as Postgres wrote it. None when the proof does not hold: nothing was read."""
    sql, parameters = bound.plan.sql, bound.parameters
    if proof is not None:
        sql, parameters = _proven(sql, proof.condition(len(parameters) + 1)), [*parameters, *proof.values]
    row = await fetch_row(actor.scope, sql, *parameters)
    return None if row is None else {key: msgspec.Raw(text or "null") for key, text in zip(bound.plan.planned, row, strict=True)}


@lru_cache(200)
def _proven(sql: str, condition: str) -> str:
    return f"{sql} WHERE {condition}"


def as_error(error: Exception, bound: Bound) -> GraphQLError:
    """What went wrong while a statement ran, as the executor tells of what a resolver raises."""
    return GraphQLError(str(error), path=[bound.plan.planned[0]], original_error=error)


class CompiledReads(SchemaExtension):
    """Answers a query's plannable root fields; the executor is left with the others, or with nothing."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads

    async def on_execute(self) -> AsyncIterator[None]:
        bound = self._bound()
        if bound is None:
            yield
            return
        execution, plan = self.execution_context, bound.plan
        try:
            answers = await run(bound, execution.context.actor) or {}
        except Exception as error:
            execution.result = ExecutionResult(data=None, errors=[as_error(error, bound)])
            yield
            return
        if plan.rest is None:
            execution.result = ExecutionResult(data={key: answers[key] for key in plan.order}, errors=None)
            yield
            return
        execution.graphql_document = plan.rest
        yield
        result = execution.result
        if result is not None and result.data is not None:
            whole = answers | dict(result.data)
            result.data = {key: whole[key] for key in plan.order}

    def _bound(self) -> Bound | None:
        execution = self.execution_context
        if (
            not execution.context.compiles_reads
            or execution.operation_type is not OperationType.QUERY
            or execution.graphql_document is None
        ):
            return None
        known = self.reads.known(execution.graphql_document, execution.query or "", execution.operation_name)
        return None if known is None else self.reads.bind(known, execution.variables, execution.context.actor, execution.context.hub)
