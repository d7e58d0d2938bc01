"""How much one operation may ask for: depth, aliases, repeated fields and cost.

Each fragment is measured once, so a document costs what it is long; the library's own limiters walk every use of a
fragment again and can be made to take minutes by a kilobyte. Nothing here knows a request: a document and a schema go
in, numbers or sentences come out.

Cost counts objects, as many as could come back: an object costs 1, a list what it could hold times what each of its
elements costs. A page holds `first` of them; a `first` that is a variable counts as the greatest page, because a
document is judged once for all of its variables.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
    ValueNode,
    get_named_type,
    is_leaf_type,
)
from graphql.validation.validate import ValidationAbortedError

from app.paging import MAXIMUM

DEPTH = 12
ALIASES = 30
# The same name so often in one selection set helps nobody and is compared pair by pair while a document is validated.
REPEATS = 30
TOKENS = 2000
COST = 5000
# What a list without pages is taken to hold: the lines of a quote, the streams of a run.
LIST_SIZE = 10

_ENOUGH = 1_000_000
_NESTING = 60
_EXTENSIONS = {"code": "LIMIT_EXCEEDED"}


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection set asks for, its fragments included. Numbers stop at a million."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    repeats: int = 0

    def beside(self, other: "Measure") -> "Measure":
        """Both, in one selection set."""
        return Measure(
            max(self.depth, other.depth),
            min(self.aliases + other.aliases, _ENOUGH),
            min(self.cost + other.cost, _ENOUGH),
            max(self.repeats, other.repeats),
        )

    def problems(self) -> Iterator[str]:
        """A sentence for each limit that is passed."""
        if self.depth > DEPTH:
            yield f"This operation is nested {_number(self.depth)} levels deep; {DEPTH} is the limit."
        if self.aliases > ALIASES:
            yield f"This operation has {_number(self.aliases)} aliases; {ALIASES} is the limit."
        if self.repeats > REPEATS:
            yield f"This operation names one field {_number(self.repeats)} times in one place; {REPEATS} is the limit."
        if self.cost > COST:
            yield f"This operation could return {_number(self.cost)} objects; {COST} is the limit. Ask for smaller pages."


def _number(value: int) -> str:
    return str(value) if value < _ENOUGH else "too many"


_TOO_DEEP = Measure(depth=_ENOUGH)


@dataclass(slots=True)
class Meter:
    """Measures the operations of one document."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    _known: dict[tuple[str, int], Measure] = field(default_factory=dict)

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        return self._selections(operation.selection_set, self.schema.get_root_type(operation.operation), LIST_SIZE, 0)

    def _selections(self, selection_set: SelectionSetNode, parent: Any, page: int, nesting: int) -> Measure:
        if nesting > _NESTING:
            return _TOO_DEEP
        total = Measure(repeats=_repeats(selection_set))
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node, parent, page, nesting))
            elif isinstance(node, InlineFragmentNode):
                inner = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                total = total.beside(self._selections(node.selection_set, inner, page, nesting + 1))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value, page, nesting))
        return total

    def _fragment(self, name: str, page: int, nesting: int) -> Measure:
        fragment = self.fragments.get(name)
        if fragment is None:
            return Measure()
        if (name, page) not in self._known:
            # A fragment that holds itself is refused by another rule; here it must only end.
            self._known[name, page] = Measure()
            kind = self.schema.get_type(fragment.type_condition.name.value)
            self._known[name, page] = self._selections(fragment.selection_set, kind, page, nesting + 1)
        return self._known[name, page]

    def _field(self, node: FieldNode, parent: Any, page: int, nesting: int) -> Measure:
        aliases = 1 if node.alias else 0
        if node.selection_set is None or node.name.value.startswith("__"):
            # Introspection has limits of its own in graphql-core and is off in production.
            return Measure(1, aliases)
        definition = getattr(parent, "fields", {}).get(node.name.value)
        kind = get_named_type(definition.type) if definition else None
        inner = self._selections(node.selection_set, kind, _page_size(node, definition), nesting + 1)
        each = 1 + inner.cost if not is_leaf_type(kind) else 0
        times = _times(node, definition, page)
        return Measure(inner.depth + 1, min(aliases + inner.aliases, _ENOUGH), min(each * times, _ENOUGH), inner.repeats)


def measures(document: DocumentNode, schema: GraphQLSchema) -> list[Measure]:
    """One measure for each operation of the document."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    meter = Meter(schema, fragments)
    return [meter.operation(node) for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def _repeats(selection_set: SelectionSetNode) -> int:
    names = Counter((node.alias or node.name).value for node in selection_set.selections if isinstance(node, FieldNode))
    return max(names.values(), default=0)


def _times(node: FieldNode, definition: GraphQLField | None, page: int) -> int:
    """How many elements this field itself may hold; `page` is what the field around it asked for."""
    if definition is None or not _is_list(definition.type):
        return 1
    if "ids" not in definition.args:
        return page
    ids = _argument(node, "ids")
    return len(ids.values) if isinstance(ids, ListValueNode) else MAXIMUM


def _is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _page_size(node: FieldNode, definition: GraphQLField | None) -> int:
    """How many elements a list directly inside this field's answer may hold."""
    if definition is None or "first" not in definition.args:
        return LIST_SIZE
    first = _argument(node, "first")
    if first is None:
        return int(definition.args["first"].default_value or MAXIMUM)
    if isinstance(first, IntValueNode) and len(first.value) < 4:
        return max(1, min(int(first.value), MAXIMUM))
    return MAXIMUM


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((argument.value for argument in node.arguments or () if argument.name.value == name), None)


class LimitsRule(ValidationRule):
    """Refuses a document past a limit before any other rule looks at it."""

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        problems = [problem for measure in measures(node, self.context.schema) for problem in measure.problems()]
        for problem in problems[:-1]:
            self.report_error(GraphQLError(problem, node, extensions=_EXTENSIONS))
        if problems:
            raise ValidationAbortedError(problems[-1], node, extensions=_EXTENSIONS)
