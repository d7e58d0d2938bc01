"""Where the library's execution meets the hub's rules: each operation passes the gate before it runs."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError
from strawberry.schema import Schema
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from app.api.asked import wants_cost
from app.api.context import Context
from app.api.gate.admission import Gate
from app.errors import Refusal


class HubSchema(Schema):
    """Strawberry's schema; whether an operation may run is decided by app/api/gate/admission.py."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Surprises are logged by app/api/masking.py under their reference; mistakes of callers are not ours to log."""

    async def execute(  # type: ignore[override]  # the hub names the arguments
        self, query: str | None, *, allowed_operation_types: Iterable[OperationType] | None = None, **values: Any
    ) -> ExecutionResult:
        """As the library, which takes a subscription for something that can be executed once."""
        if allowed_operation_types is not None:
            allowed_operation_types = set(allowed_operation_types) - {OperationType.SUBSCRIPTION}
        return await super().execute(query, allowed_operation_types=allowed_operation_types, **values)

    async def _prepare_operation_async(self, context: ExecutionContext, extensions_runner: Any) -> PreExecutionError | None:
        """The one place where the library parses and validates, for requests, event streams and WebSockets alike."""
        if not context.query:
            return await super()._prepare_operation_async(context, extensions_runner)
        try:
            return await self._pass_gate(context, extensions_runner)
        except Refusal as refusal:
            errors = [GraphQLError(refusal.message, original_error=refusal)]
            context.pre_execution_errors = errors
            return PreExecutionError(data=None, errors=errors)

    async def _pass_gate(self, context: ExecutionContext, extensions_runner: Any) -> PreExecutionError | None:
        caller: Context = context.context
        gate = Gate.of(caller.hub)
        checked = gate.check(context.query or "", caller, self._schema)
        context.graphql_document, context.pre_execution_errors = checked.document, list(checked.errors)
        if checked.document is not None:
            # Refuses a kind of operation that this way of asking does not allow. What was judged is not judged again.
            await super()._prepare_operation_async(context, extensions_runner)
        if caller.press is not None:  # those who follow were counted, each for itself
            return PreExecutionError(data=None, errors=context.pre_execution_errors) if checked.errors else None
        cost = await gate.admit(checked, context._provided_operation_name, context.variables, caller.actor)
        if wants_cost(context.operation_extensions):
            context.extensions_results["cost"] = gate.cost_report(cost, caller.actor)
        return PreExecutionError(data=None, errors=context.pre_execution_errors) if checked.errors else None
