"""Queries drawn at random: hypothesis-graphql writes them, then they get what real clients send.

Arguments that name something mostly name what is there, pages are small and follow real cursors, values move into
variables, selections into fragments, and `@skip` and `@include` appear.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    NameNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_composite_type,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)


@dataclass
class Names:
    """What is there to be named: global ids by type, cursors by field, beginnings of names, ids at providers."""

    ids: Mapping[str, Sequence[str]]
    cursors: dict[str, list[str]] = field(default_factory=dict)
    texts: Sequence[str] = ("",)

    def learn(self, answer: Any, asked: str = "") -> None:
        """Remember the cursors in an answer, by the field that they page."""
        for key, value in answer.items() if isinstance(answer, dict) else ():
            if key in ("cursor", "endCursor", "startCursor") and value:
                self.cursors.setdefault(asked, []).append(value)
            for each in value if isinstance(value, list) else [value]:
                self.learn(each, asked if key in ("edges", "nodes", "pageInfo") else key)


@dataclass(frozen=True)
class Drawn:
    """A query as it is sent."""

    query: str
    variables: dict[str, Any]


def dressed(schema: GraphQLSchema, base: str, seed: int, names: Names) -> Drawn:
    """The query with real names, variables, fragments and directives."""
    chance = random.Random(seed)
    document = _named(schema, parse(base), chance, names)
    wardrobe = _Wardrobe(TypeInfo(schema), chance)
    document = visit(document, TypeInfoVisitor(wardrobe.types, wardrobe))
    return Drawn(print_ast(wardrobe.finished(document)), wardrobe.variables)


def _named(schema: GraphQLSchema, document: DocumentNode, chance: random.Random, names: Names) -> DocumentNode:
    types = TypeInfo(schema)

    class Naming(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> FieldNode:
            values = {argument.name.value: argument.value for argument in node.arguments or ()}
            changed = [self._argument(node.name.value, name, value) for name, value in values.items()]
            return FieldNode(name=node.name, alias=node.alias, arguments=tuple(changed), selection_set=node.selection_set)

        def _argument(self, asked: str, name: str, value: Any) -> ArgumentNode:
            return ArgumentNode(name=NameNode(value=name), value=_value(asked, name, value, chance, names))

    return visit(document, TypeInfoVisitor(types, Naming()))


_OF = {
    "connectionId": "Connection",
    "contactId": "Contact",
    "jobId": "Job",
    "clientId": "Client",
    "quoteId": "Quote",
    "syncRunId": "SyncRun",
}
_ROOT_OF = {
    "conflict": "Conflict",
    "connection": "Connection",
    "contact": "Contact",
    "quote": "Quote",
    "salesDocument": "SalesDocument",
    "syncRun": "SyncRun",
}
_RECORDS = ("Contact", "InventoryLevel", "Job", "Product", "SalesDocument")


def _value(asked: str, name: str, value: Any, chance: random.Random, names: Names) -> Any:
    every = [id for ids in names.ids.values() for id in ids]
    if chance.random() < 0.05:
        return value
    if name == "first":
        return IntValueNode(value=str(chance.choice((1, 2, 3, 7, 100))))
    if name == "after":
        cursors = names.cursors.get(asked)
        return StringValueNode(value=chance.choice(cursors)) if cursors and chance.random() < 0.5 else NullValueNode()
    if name == "ids":
        return ListValueNode(values=tuple(StringValueNode(value=chance.choice(every)) for _ in range(chance.randint(0, 6))))
    if name == "id":
        return StringValueNode(value=chance.choice(names.ids.get(_ROOT_OF.get(asked, ""), every)))
    if name in _OF:
        return (
            NullValueNode()
            if chance.random() < 0.5 and _is_optional(asked, name)
            else StringValueNode(value=chance.choice(names.ids[_OF[name]]))
        )
    if name == "recordId":
        records = [id for kind in _RECORDS for id in names.ids[kind]]
        return NullValueNode() if chance.random() < 0.5 else StringValueNode(value=chance.choice(records))
    if name in ("search", "contactExternalId", "externalId", "field", "providerStatus"):
        return NullValueNode() if chance.random() < 0.4 else StringValueNode(value=chance.choice(names.texts))
    return NullValueNode() if name in ("status", "kind") and chance.random() < 0.4 else value


def _is_optional(asked: str, name: str) -> bool:
    return (asked, name) not in {("providerCalls", "connectionId"), ("syncs", "connectionId"), ("syncStatus", "connectionId")}


class _Wardrobe(Visitor):
    """Moves values into variables and selections into fragments."""

    def __init__(self, types: TypeInfo, chance: random.Random) -> None:
        super().__init__()
        self.types = types
        self.chance = chance
        self.variables: dict[str, Any] = {}
        self.definitions: list[VariableDefinitionNode] = []
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        argument = self.types.get_argument()
        if argument is None or self.chance.random() < 0.5:
            return None
        value = value_from_ast_untyped(node.value)
        name = self._variable(str(argument.type), value)
        return ArgumentNode(name=node.name, value=VariableNode(name=NameNode(value=name)))

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.definitions)}"
        self.definitions.append(
            VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=parse_type(kind), directives=())
        )
        if value is not None or kind.endswith("!") or self.chance.random() < 0.5:
            self.variables[name] = value
        return name

    def leave_selection_set(self, node: SelectionSetNode, _key: Any, parent: Any, *_: Any) -> SelectionSetNode | None:
        kind = self.types.get_parent_type()
        if kind is None or not is_composite_type(kind) or isinstance(parent, OperationDefinitionNode):
            return None
        chance, named = self.chance, get_named_type(kind).name
        condition = NamedTypeNode(name=NameNode(value=named))
        if chance.random() < 0.15:
            name = f"F{len(self.fragments)}"
            self.fragments.append(
                FragmentDefinitionNode(name=NameNode(value=name), type_condition=condition, directives=(), selection_set=node)
            )
            spread = FragmentSpreadNode(name=NameNode(value=name), directives=())
            return SelectionSetNode(selections=(spread, *node.selections[:1]) if chance.random() < 0.5 else (spread,))
        if chance.random() < 0.15:
            inline = InlineFragmentNode(
                type_condition=condition if chance.random() < 0.5 else None, directives=self._directives(), selection_set=node
            )
            return SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename"), arguments=(), directives=()), inline))
        return None

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        if self.chance.random() < 0.9:
            return None
        return FieldNode(
            name=node.name, alias=node.alias, arguments=node.arguments, selection_set=node.selection_set, directives=self._directives()
        )

    def _directives(self) -> tuple[DirectiveNode, ...]:
        if self.chance.random() < 0.6:
            return ()
        value = self.chance.random() < 0.5
        condition: Any = BooleanValueNode(value=value)
        if self.chance.random() < 0.5:
            condition = VariableNode(name=NameNode(value=self._variable("Boolean!", value)))
        argument = ArgumentNode(name=NameNode(value="if"), value=condition)
        return (DirectiveNode(name=NameNode(value=self.chance.choice(("skip", "include"))), arguments=(argument,)),)

    def finished(self, document: DocumentNode) -> DocumentNode:
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        whole = OperationDefinitionNode(
            operation=operation.operation,
            name=NameNode(value="Drawn"),
            variable_definitions=tuple(self.definitions),
            directives=(),
            selection_set=operation.selection_set,
        )
        return DocumentNode(definitions=(whole, *self.fragments))
