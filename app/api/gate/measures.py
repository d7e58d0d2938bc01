"""How much the operations of a document ask for: depth, aliases, repeated fields and cost.

Each fragment is measured once, so measuring takes as long as the document is; the library's own limiters walk every use
of a fragment again and can be made to take minutes by a kilobyte.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from app.api.gate.costs import CHANGE, LIST_SIZE, Cost, Size, added, times
from app.api.gate.limits import DEFAULTS, ENOUGH, Excess, Limits
from app.paging import MAXIMUM


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection set asks for, its fragments included. Numbers stop at a million."""

    depth: int = 0
    aliases: int = 0
    repeats: int = 0
    directives_per_place: int = 0
    fragments: int = 0
    cost: Cost = 0
    """Of the objects in here."""
    paged: Cost = 0
    """Of one element of each list in here that is as long as the page around it."""
    names: Mapping[str, int] = field(default_factory=dict)
    """How many fields the answer's names could be merged from, each compared with each while a document is validated."""

    def problems(self, limits: Limits = DEFAULTS) -> Iterator[Excess]:
        """One for each limit that is passed whatever the variables are. A cost that depends on them is for each request."""
        measured = {"depth": self.depth, "aliases": self.aliases, "repeats": self.repeats, "fragments": self.fragments}
        measured["directives_per_place"] = self.directives_per_place
        if isinstance(self.cost, int):
            measured["cost"] = self.cost
        yield from limits.excesses(measured)


_TOO_DEEP = Measure(depth=ENOUGH)


@dataclass(slots=True)
class Meter:
    """Measures the operations of one document."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    nesting: int = DEFAULTS.nesting
    _known: dict[str, Measure] = field(default_factory=dict)

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        inside = self._selections(operation.selection_set, self.schema.get_root_type(operation.operation), 0)
        return replace(inside, cost=added((inside.cost, times(LIST_SIZE, inside.paged))), paged=0)

    def _selections(self, selection_set: SelectionSetNode, parent: Any, nesting: int) -> Measure:
        if nesting > self.nesting:
            return _TOO_DEEP
        nodes = selection_set.selections
        return _together(nodes, [self._selection(node, parent, nesting) for node in nodes])

    def _selection(self, node: SelectionNode, parent: Any, nesting: int) -> Measure:
        if isinstance(node, FieldNode):
            return self._field(node, parent, nesting)
        if isinstance(node, InlineFragmentNode):
            inner = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
            return self._selections(node.selection_set, inner, nesting + 1)
        return self._fragment(node.name.value, nesting) if isinstance(node, FragmentSpreadNode) else Measure()

    def _fragment(self, name: str, nesting: int) -> Measure:
        fragment = self.fragments.get(name)
        if fragment is None:
            return Measure()
        if name not in self._known:
            # A fragment that holds itself is refused by another rule; here it must only end.
            self._known[name] = Measure()
            kind = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name] = self._selections(fragment.selection_set, kind, nesting + 1)
        return self._known[name]

    def _field(self, node: FieldNode, parent: Any, nesting: int) -> Measure:
        aliases = 1 if node.alias else 0
        if node.selection_set is None or node.name.value.startswith("__"):
            # Introspection has limits of its own in graphql-core and is off in production.
            return Measure(1, aliases, names={_name(node): 1})
        definition = getattr(parent, "fields", {}).get(node.name.value)
        kind = get_named_type(definition.type) if definition else None
        inside = self._selections(node.selection_set, kind, nesting + 1)
        here = 0 if is_leaf_type(kind) else 1 + (CHANGE if parent is self.schema.mutation_type else 0)
        each = added((here, inside.cost, times(_page_size(node, definition), inside.paged)))
        cost, paged = _spread_out(node, definition, each)
        return replace(
            inside,
            depth=min(inside.depth + 1, ENOUGH),
            aliases=inside.aliases + aliases,
            cost=cost,
            paged=paged,
            names={_name(node): max(1, inside.repeats)},
        )


def measures(document: DocumentNode, schema: GraphQLSchema) -> list[Measure]:
    """One measure for each operation of the document."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    meter = Meter(schema, fragments)
    return [meter.operation(node) for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def _together(nodes: Sequence[SelectionNode], parts: Sequence[Measure]) -> Measure:
    """All of them, in one selection set."""
    names: Counter[str] = Counter()
    for part in parts:
        names.update(part.names)
    return Measure(
        max(part.depth for part in parts),
        min(sum(part.aliases for part in parts), ENOUGH),
        min(max(names.values(), default=0), ENOUGH),
        max(*(len(node.directives or ()) for node in nodes), *(part.directives_per_place for part in parts)),
        max(sum(not isinstance(node, FieldNode) for node in nodes), *(part.fragments for part in parts)),
        added(part.cost for part in parts),
        added(part.paged for part in parts),
        names,
    )


def _name(node: FieldNode) -> str:
    """What the answer calls this field."""
    return (node.alias or node.name).value


def _spread_out(node: FieldNode, definition: GraphQLField | None, each: Cost) -> tuple[Cost, Cost]:
    """The cost of this field, and its cost for each element of the page around it."""
    if definition is None or not _is_list(definition.type):
        return each, 0
    if "ids" not in definition.args:
        return 0, each
    ids = _argument(node, "ids")
    if isinstance(ids, VariableNode):
        return times(Size(ids.name.value), each), 0
    return times(len(ids.values) if isinstance(ids, ListValueNode) else 1, each), 0


def _is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _page_size(node: FieldNode, definition: GraphQLField | None) -> int | Size:
    """How many elements a list directly inside this field's answer may hold."""
    if definition is None or "first" not in definition.args:
        return LIST_SIZE
    first, default = _argument(node, "first"), int(definition.args["first"].default_value or MAXIMUM)
    if first is None:
        return default
    if isinstance(first, VariableNode):
        return Size(first.name.value, default)
    if isinstance(first, IntValueNode) and len(first.value) < 4:
        return max(1, min(int(first.value), MAXIMUM))
    return MAXIMUM


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
