"""What was planned for a document, kept for the next time that it comes.

A plan depends on the document, on which variables are null or which booleans and enums they hold (they change the
statement's text), and on what the viewer may read; every other value is a parameter.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_argument_values, get_variable_values

from app.api.bounded import BoundedCache
from app.api.reads.planner import Planner
from app.api.reads.selections import Chosen, Selections
from app.api.reads.statement import Arguments, Binder, Unplannable, Viewer

_PLANS, _CHARACTERS = 50, 100_000
"""Of one document, for its kinds of viewers and shapes of variables: how many are kept, and how much SQL."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The statement for those root fields that one could be made of, and what is left for the executor."""

    sql: str
    """One column of JSON text for each name in `planned`; empty when nothing could be planned."""
    planned: tuple[str, ...]
    order: tuple[str, ...]
    """All response keys of the operation."""
    binders: tuple[Binder, ...]
    calls: tuple[tuple[GraphQLField, FieldNode], ...]
    rest: DocumentNode | None
    """The document with only the root fields that were not planned; None when all were."""
    reasons: Mapping[str, str]
    """Why a root field was not planned."""


@dataclass
class KnownDocument:
    """One operation of a validated document, and its plans."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    plans: BoundedCache[Hashable, Plan] = field(default_factory=lambda: BoundedCache(_PLANS, _CHARACTERS))

    def __post_init__(self) -> None:
        self._signatures = _plain_signatures(self.schema, self.operation)

    def variables(self, given: Mapping[str, Any] | None) -> VariableValues:
        """graphql-core's coerced variables. Raises Unplannable for wrong ones: the executor says what is wrong."""
        values = dict(given or {})
        if self._signatures is not None and values.keys() >= self._signatures.keys():
            return _coerced(self._signatures, values)
        return self._coerced_by_the_library(values)

    def _coerced_by_the_library(self, given: dict[str, Any]) -> VariableValues:
        values = get_variable_values(self.schema, self.operation.variable_definitions or (), given)
        if isinstance(values, list):
            raise Unplannable("the variables are wrong")
        return values

    def plan(self, variables: VariableValues, viewer: Viewer) -> Plan:
        key = (viewer.permissions, viewer.is_client, _shape(variables.coerced))
        plan = self.plans.get(key)
        if plan is None:
            plan = self._make(variables, viewer)
            self.plans.put(key, plan, size=len(plan.sql))
        return plan

    def arguments(self, plan: Plan, variables: VariableValues) -> list[Arguments]:
        return [get_argument_values(definition, node, variables) for definition, node in plan.calls]

    def _make(self, variables: VariableValues, viewer: Viewer) -> Plan:
        fragments = {node.name.value: node for node in self.document.definitions if isinstance(node, FragmentDefinitionNode)}
        selections = Selections(self.schema, fragments, variables)
        query = self.schema.query_type
        assert query is not None
        chosen = selections.fields(query, [self.operation.selection_set])
        planner = Planner(viewer, selections, lambda definition, node: get_argument_values(definition, node, variables))
        columns, reasons = _planned(planner, query.fields, chosen)
        left = [key for key in chosen if key not in columns]
        return Plan(
            sql=f"SELECT {', '.join(f'({sql})::text' for sql in columns.values())}" if columns else "",
            planned=tuple(columns),
            order=tuple(chosen),
            binders=tuple(planner.binders),
            calls=tuple(planner.calls),
            rest=self._only([node for key in left for node in chosen[key]]) if left else None,
            reasons=reasons,
        )

    def _only(self, nodes: Sequence[FieldNode]) -> DocumentNode:
        """The document with these root fields. Their fragments stay; what nobody uses does no harm, it was validated before."""
        operation = self.operation
        pruned = OperationDefinitionNode(
            operation=operation.operation,
            name=operation.name,
            variable_definitions=operation.variable_definitions,
            directives=operation.directives,
            selection_set=SelectionSetNode(selections=tuple(nodes)),
            loc=operation.loc,
        )
        definitions = tuple(pruned if node is operation else node for node in self.document.definitions)
        return DocumentNode(definitions=definitions, loc=self.document.loc)


def _planned(planner: Planner, fields: Mapping[str, GraphQLField], chosen: Chosen) -> tuple[dict[str, str], dict[str, str]]:
    """The SQL of each root field that could be planned, and why the others could not."""
    columns: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for key, nodes in chosen.items():
        try:
            definition = fields.get(nodes[0].name.value)
            if definition is None:
                raise Unplannable("introspection is the executor's")
            columns[key] = planner.root(definition, nodes)
        except Unplannable as reason:
            reasons[key] = str(reason)
    return columns, reasons


def _plain_signatures(schema: GraphQLSchema, operation: OperationDefinitionNode) -> dict[str, GraphQLVariableSignature] | None:
    """What each variable must be, where all are scalars or enums: found out once, where the library does so every time."""
    found = [get_variable_signature(schema, node) for node in operation.variable_definitions or ()]
    plain = [one for one in found if not isinstance(one, GraphQLError) and is_leaf_type(get_nullable_type(one.type))]
    return {one.name: one for one in plain} if len(plain) == len(found) else None


def _coerced(signatures: Mapping[str, GraphQLVariableSignature], given: Mapping[str, Any]) -> VariableValues:
    coerced = {name: coerce_input_value(given[name], signature.type) for name, signature in signatures.items()}
    if any(value is Undefined for value in coerced.values()):
        raise Unplannable("the variables are wrong")
    return VariableValues({name: VariableValueSource(signature, given[name]) for name, signature in signatures.items()}, coerced)


def find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The query that was asked for; None for anything that is not one query."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if name is None or (node.name and node.name.value == name)]
    if len(named) != 1 or named[0].operation is not OperationType.QUERY:
        return None
    return named[0]


def _shape(variables: Mapping[str, Any]) -> Hashable:
    """What of the variables a statement's text depends on. They come in the order in which the operation declares them."""
    return (*variables, *map(_kind, variables.values()))


def _kind(value: Any) -> Hashable:
    if value is None or isinstance(value, bool | Enum):
        return value
    return _shape(value) if isinstance(value, dict) else "…"
