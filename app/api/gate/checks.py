"""A document, judged once: is it GraphQL, within the limits, valid, and what does it cost?

Whatever path answers an operation asks `Checker.check`, so the same text gets the same verdict everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FieldsOnCorrectTypeRule,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.api.bounded import BoundedCache
from app.api.gate.costs import Cost, worth
from app.api.gate.legible import SENTENCE, holds_nul_escape
from app.api.gate.limits import ENOUGH, Excess, Limits
from app.api.gate.measures import Meter
from app.api.gate.scanning import past_limits

MISTAKES = 20
"""After so many mistakes a document is not looked at any further."""

_DOCUMENTS, _CHARACTERS = 1000, 500_000
"""What is kept of documents that were judged. A parsed document takes about 60 bytes for each of its characters."""


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of one operation, and the variables that it fills in itself."""

    cost: Cost
    defaults: Mapping[str, Any]

    def total(self, variables: Mapping[str, Any] | None) -> int:
        """Objects, at least 1."""
        return max(1, worth(self.cost, {**self.defaults, **(variables or {})}))


@dataclass(frozen=True, eq=False)
class Checked:
    """The verdict on one text. The same object comes back for the same text while it is remembered."""

    text: str
    document: DocumentNode | None
    """None when it could not be parsed."""
    errors: Sequence[GraphQLError]
    bills: Mapping[str | None, Bill] = field(default_factory=dict)
    """By the operations' names; the first one also under None."""


class Checker:
    """Judges documents for these limits and the one schema of the process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._known: BoundedCache[tuple[str, bool], Checked] = BoundedCache(_DOCUMENTS, _CHARACTERS)

    def __len__(self) -> int:
        """How many verdicts are remembered."""
        return len(self._known)

    def known(self, text: str, *, may_look_inside: bool) -> Checked | None:
        """The verdict, where there is one already."""
        return self._known.get((text, may_look_inside))

    def check(self, schema: GraphQLSchema, text: str, *, may_look_inside: bool) -> Checked:
        """`may_look_inside` allows introspection, and mistakes are answered with suggestions."""
        known = self.known(text, may_look_inside=may_look_inside)
        if known is None:
            known = self._judge(schema, text, may_look_inside)
            if len(text) <= self.limits.document:
                self._known.put((text, may_look_inside), known, size=len(text))
        return known

    def _judge(self, schema: GraphQLSchema, text: str, may_look_inside: bool) -> Checked:
        if excess := past_limits(text, self.limits):
            return Checked(text, None, [excess.error()])
        try:
            document = parse(text)
        except GraphQLError as mistake:
            return Checked(text, None, [mistake])
        bills, excesses = self._measure(schema, document)
        if excesses:
            return Checked(text, document, [excess.error(document) for excess in excesses])
        mistakes = validate(schema, document, _rules(may_look_inside), MISTAKES)
        if not mistakes and holds_nul_escape(text):
            mistakes = [GraphQLError(SENTENCE, document, extensions={"code": "BAD_USER_INPUT"})]
        return Checked(text, document, mistakes, bills)

    def _measure(self, schema: GraphQLSchema, document: DocumentNode) -> tuple[dict[str | None, Bill], list[Excess]]:
        fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        excesses = list(self.limits.excesses({"fragments": len(fragments)}))
        meter, bills = Meter(schema, {node.name.value: node for node in fragments}, self.limits.nesting), {}
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                measure = meter.operation(node)
                excesses.extend(measure.problems(self.limits))
                bill = Bill(measure.cost, _defaults(node))
                bills[node.name.value if node.name else None] = bill
                bills.setdefault(None, bill)
        return bills, excesses


class _FieldsExist(FieldsOnCorrectTypeRule):
    """As the library's rule, without looking for similar names: that takes long, and lists the schema to whoever guesses."""

    def enter_field(self, node: FieldNode, *_args: Any) -> None:
        parent = self.context.get_parent_type()
        if parent and not self.context.get_field_def():
            self.report_error(GraphQLError(f"Cannot query field '{node.name.value}' on type '{parent.name}'.", node))


@cache
def _rules(may_look_inside: bool) -> tuple[type[ASTValidationRule], ...]:
    rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
    if may_look_inside:
        return rules
    return (NoSchemaIntrospectionCustomRule, *(_FieldsExist if rule is FieldsOnCorrectTypeRule else rule for rule in rules))


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """The values that the operation gives its own variables, as far as a cost can depend on them."""
    values: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        default = definition.default_value
        if isinstance(default, IntValueNode):
            values[definition.variable.name.value] = min(int(default.value[:9]), ENOUGH)
        elif isinstance(default, ListValueNode):
            values[definition.variable.name.value] = [None] * len(default.values)
    return values
