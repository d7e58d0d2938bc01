"""Queries that ask for everything, written from the schema."""

from collections.abc import Iterator

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from graphql.pyutils import Undefined

from app.api.reads.planner import python_name
from app.api.schema import schema
from tests.api.client import gid

NOTHING = "00000000-0000-0000-0000-000000000001"
"""The id of no row."""
RESOLVED_FIELDS = {
    **{
        f"{kind}.as_of": "one moment of one record, of its history or of now"
        for kind in ("Contact", "InventoryLevel", "Job", "Product", "SalesDocument")
    },
    "Connection.connector": "known to the process, not to the database",
    "Sync.next_starts": "reckoned from its schedule in its zone",
    **{
        f"FailedRecord.{name}": "worked out by Python, like what its payload shows"
        for name in ("advice", "direction", "edited_payload", "payload", "state", "tries")
    },
}
"""Fields that no statement can hold, and why."""


def everything(field: str, levels: int) -> str:
    """A query of one root field with all that a statement can hold so many levels below it. Its ids name nothing that is there."""
    definition = schema()._schema.query_type.fields[field]
    kind = get_named_type(definition.type)
    required = [name for name, argument in definition.args.items() if _is_required(argument)]
    arguments = ", ".join(f"{name}: {_id(name, kind)}" for name in required)
    return f"{{ {field}{f'({arguments})' if arguments else ''} {selection(kind, levels)} }}"


def _id(argument: str, kind: GraphQLNamedType) -> str:
    named = {"ids": "Quote", "connectionId": "Connection", "planId": "Plan"}.get(argument, "Quote" if kind.name == "Node" else kind.name)
    text = f'"{gid(named, NOTHING)}"'
    return f"[{text}]" if argument == "ids" else text


def selection(kind: GraphQLNamedType, levels: int) -> str:
    """Everything of a type, nothing for a leaf."""
    return "" if is_leaf_type(kind) else f"{{ {' '.join(_parts(kind, levels))} }}"


def _parts(kind: GraphQLNamedType, levels: int) -> Iterator[str]:
    yield "__typename"
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        for each in schema()._schema.get_possible_types(kind):
            yield f"... on {each.name} {selection(each, levels)}"
        return
    assert isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items():
        found = get_named_type(field.type)
        if f"{kind.name}.{python_name(field)}" not in RESOLVED_FIELDS and (is_leaf_type(found) or levels > 1):
            yield f"{name} {selection(found, levels - 1)}"


def _is_required(argument: object) -> bool:
    return isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined  # type: ignore[attr-defined]
