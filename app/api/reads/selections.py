"""Which fields a selection asks for: fragments merged, `@skip` and `@include` obeyed, type conditions applied."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    is_abstract_type,
)
from graphql.execution.values import get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

Chosen = dict[str, list[FieldNode]]
"""Response key → the places that ask for it, all for the same field."""


@dataclass(frozen=True, slots=True)
class Selections:
    """Collects as the specification's CollectFields does, each fragment once per place."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Any
    """graphql-core's coerced variables."""

    def fields(self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> Chosen:
        chosen: Chosen = {}
        visited: set[str] = set()
        for selection_set in sets:
            for node in self._nodes(kind, selection_set, visited):
                chosen.setdefault((node.alias or node.name).value, []).append(node)
        return chosen

    def below(self, kind: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Chosen:
        """The fields inside a field."""
        return self.fields(kind, [node.selection_set for node in nodes if node.selection_set])

    def _nodes(self, kind: GraphQLObjectType, selection_set: SelectionSetNode, visited: set[str]) -> Iterator[FieldNode]:
        for node in selection_set.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(node.type_condition.name.value, kind):
                    yield from self._nodes(kind, node.selection_set, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    yield from self._nodes(kind, fragment.selection_set, visited)

    def _is_included(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        named = self.schema.get_type(condition)
        return named is kind or (is_abstract_type(named) and self._is_one(named, kind))

    def _is_one(self, abstract: GraphQLAbstractType, kind: GraphQLObjectType) -> bool:
        return self.schema.is_sub_type(abstract, kind)
