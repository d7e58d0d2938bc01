"""Documents made from the schema: a field with these arguments, and as much of its answer as one operation may ask for."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    parse,
)

from app.api.gate.costs import worth
from app.api.gate.measures import measures
from app.api.schema import schema

TOKENS, COST = 1900, 5000
DEEPEST = 6


def graphql_schema() -> GraphQLSchema:
    return schema()._schema


def root_fields() -> dict[str, GraphQLField]:
    """`Mutation.approveQuote` → its definition, for every field of the three root types."""
    whole = graphql_schema()
    roots = (whole.query_type, whole.mutation_type, whole.subscription_type)
    return {f"{root.name}.{name}": definition for root in roots if root for name, definition in root.fields.items()}


def id_arguments(definition: GraphQLField) -> set[str]:
    """The arguments that take ids, those inside input objects as `argument.field`."""
    return set(_ids(definition.args))


def _ids(arguments: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, argument in arguments.items():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType):
            yield from _ids(kind.fields, f"{before}{name}.")
        elif kind.name == "ID":
            yield f"{before}{name}"


@cache
def document(field: str, arguments: tuple[str, ...], kind: str | None = None) -> str:
    """The deepest document that the limits allow. `kind` says which type is looked into where any could come."""
    for depth in range(DEEPEST, 1, -1):
        for first in (20, 5):
            text = _document(field, arguments, kind, depth, first)
            if len(text.split()) <= TOKENS and not [*_problems(text, arguments)]:  # a word is a token or more
                return text
    raise AssertionError(f"Nothing can be asked of {field} within the limits.")


def _problems(text: str, arguments: tuple[str, ...]) -> Iterator[str]:
    """What the limits have against it, where each list of ids holds one."""
    parsed, one_each = parse(text), {argument: [None] for argument in arguments}
    for measure in measures(parsed, graphql_schema()):
        yield from (problem.sentence for problem in measure.problems())
        if (cost := worth(measure.cost, one_each)) > COST:
            yield f"{cost} objects"
    token, count = parsed.loc.start_token if parsed.loc else None, 0
    while token:
        token, count = token.next, count + 1
    if count > TOKENS:
        yield f"{count} tokens"


def _document(field: str, arguments: tuple[str, ...], kind: str | None, depth: int, first: int) -> str:
    root, name = field.split(".")
    definition = root_fields()[field]
    declared = ", ".join(f"${argument}: {definition.args[argument].type}" for argument in arguments)
    given = [f"{argument}: ${argument}" for argument in arguments]
    if "first" in definition.args:
        given.append(f"first: {first}")
    selection = _selection(get_named_type(definition.type), depth, (), kind)
    call = f"{name}{_in_brackets(given)}"
    return f"{root.lower()} {_in_brackets([declared] if declared else [])} {{ {call} {selection} }}"


def _in_brackets(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)})" if parts else ""


def _selection(kind: Any, depth: int, path: tuple[str, ...], wanted: str | None) -> str:
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        members = graphql_schema().get_possible_types(kind)
        chosen = [member for member in members if wanted in (None, member.name)]
        inner = (f"... on {member.name} {_selection(member, depth, path, None)}" for member in chosen)
        return f"{{ __typename {' '.join(inner)} }}"
    return f"{{ __typename {' '.join(_fields(kind, depth, path))} }}"


def _fields(kind: GraphQLObjectType, depth: int, path: tuple[str, ...]) -> Iterator[str]:
    """Everything that needs no argument. A type inside itself shows its own fields only."""
    for name, definition in kind.fields.items():
        inner = get_named_type(definition.type)
        if any(is_required_argument(argument) for argument in definition.args.values()):
            continue
        if is_leaf_type(inner):
            yield name
        elif depth > 1 and kind.name not in path and name != "edges":
            page = "(first: 2)" if "first" in definition.args else ""
            yield f"{name}{page} {_selection(inner, depth - 1, (*path, kind.name), None)}"
