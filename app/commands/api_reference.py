"""docs/api-reference.md: every field and type of the schema with its description, for people who write programs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    Undefined,
    ast_from_value,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    print_ast,
)

OPERATIONS = Path("graphql/operations")

_HEAD = """# API reference

Written by `crosswalk schema docs` from the schema; how to use it is in [the guide](api.md), what can go wrong in
[the list of errors](api-errors.md). The same as SDL: [graphql/schema.graphql](../graphql/schema.graphql). `String`, `Int`,
`Float`, `Boolean` and `ID` are GraphQL's own; every `ID` here is text that means nothing to a program. A refusal without a table has
the fields of [Refusal](#refusal) and no more.
"""
_ROOTS = ("query", "mutation", "subscription")
_COMMON = {"message", "code", "fixBy"}
_KINDS: tuple[tuple[str, type[GraphQLNamedType]], ...] = (
    ("Objects", GraphQLObjectType),
    ("Interfaces", GraphQLInterfaceType),
    ("Unions", GraphQLUnionType),
    ("Inputs", GraphQLInputObjectType),
    ("Enums", GraphQLEnumType),
    ("Scalars", GraphQLScalarType),
)


def reference(schema: GraphQLSchema, operations: Mapping[str, str]) -> str:
    """The page. `operations` are the texts of the named operations by the names of their files."""
    ready = _root_fields_of(operations)
    parts = [_HEAD, _contents(schema)]
    for root in _ROOTS:
        parts.append(f"## {_plural(root)}\n")
        parts += [_root_field(root, name, field, ready.get(name, ())) for name, field in sorted(_root_fields(schema, root).items())]
    for title, kind in _KINDS:
        parts.append(f"## {title}\n")
        parts += [_type(each, schema) for each in _types(schema, kind)]
    return "\n".join(parts)


def named_operations(folder: Path = OPERATIONS) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*.graphql"))}


def _root_fields_of(operations: Mapping[str, str]) -> dict[str, list[str]]:
    """Root field → the files that ask for it."""
    found: dict[str, list[str]] = {}
    for file, text in operations.items():
        for operation in parse(text).definitions:
            if isinstance(operation, OperationDefinitionNode):
                for node in operation.selection_set.selections:
                    if isinstance(node, FieldNode):
                        found.setdefault(node.name.value, []).append(file)
    return found


def _root_fields(schema: GraphQLSchema, root: str) -> dict[str, GraphQLField]:
    fields: dict[str, GraphQLField] = getattr(schema, f"{root}_type").fields
    return fields


def _contents(schema: GraphQLSchema) -> str:
    chapters = [(_plural(root), [f"[{name}](#{root}-{name.lower()})" for name in sorted(_root_fields(schema, root))]) for root in _ROOTS]
    chapters += [(title, [_link(kind.name) for kind in _types(schema, wanted)]) for title, wanted in _KINDS]
    return "".join(f"**{title}**: {', '.join(links)}\n\n" for title, links in chapters)


def _plural(root: str) -> str:
    return "Queries" if root == "query" else f"{root.capitalize()}s"


def _types(schema: GraphQLSchema, kind: type[GraphQLNamedType]) -> Iterator[GraphQLNamedType]:
    """By name; the roots and what GraphQL itself brings are explained elsewhere."""
    roots = {getattr(schema, f"{root}_type") for root in _ROOTS}
    for _, each in sorted(schema.type_map.items()):
        if isinstance(each, kind) and each not in roots and not is_introspection_type(each) and not is_specified_scalar_type(each):
            yield each


def _root_field(root: str, name: str, field: GraphQLField, files: Iterable[str]) -> str:
    lines = [f"### {root} {name}\n", f"{_text(field.description)}\n", f"Answers with {_type_link(field.type)}.\n"]
    if field.args:
        lines += ["| argument | type | |", "|---|---|---|"]
        lines += [
            f"| `{key}` | {_type_link(argument.type)}{_default(argument)} | {_text(argument.description)} |"
            for key, argument in field.args.items()
        ]
        lines.append("")
    if linked := ", ".join(f"[{file}](../graphql/operations/{file})" for file in files):
        lines.append(f"Ready-made: {linked}\n")
    return "\n".join(lines)


def _type(kind: GraphQLNamedType, schema: GraphQLSchema) -> str:
    lines = [f"### {kind.name}\n", f"{_text(kind.description)}\n"]
    if isinstance(kind, GraphQLObjectType) and kind.interfaces:
        lines.append(f"Implements {', '.join(_link(each.name) for each in kind.interfaces)}.\n")
    if isinstance(kind, GraphQLObjectType) and set(kind.fields) == _COMMON:
        return "\n".join(lines)
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        lines += ["| field | type | |", "|---|---|---|", *_fields(kind.fields), ""]
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        lines.append(f"One of {', '.join(_link(each.name) for each in schema.get_possible_types(kind))}.\n")
    if isinstance(kind, GraphQLEnumType):
        lines += ["| value | |", "|---|---|", *(f"| `{name}` | {_text(value.description)} |" for name, value in kind.values.items()), ""]
    if isinstance(kind, GraphQLScalarType) and kind.specified_by_url:
        lines.append(f"Specified by <{kind.specified_by_url}>.\n")
    return "\n".join(lines)


def _fields(fields: Mapping[str, GraphQLField] | Mapping[str, GraphQLArgument]) -> Iterator[str]:
    for name, field in fields.items():
        yield f"| `{name}` | {_type_link(field.type)}{_default(field)} | {_text(field.description)}{_arguments(field)} |"


def _arguments(field: object) -> str:
    """Of a field inside a type, in the cell of its description."""
    if not isinstance(field, GraphQLField) or not field.args:
        return ""
    return "".join(f"<br>`{key}`: {_type_link(each.type)}{_default(each)}. {_text(each.description)}" for key, each in field.args.items())


def _default(value: object) -> str:
    """What is taken where nothing is given, as GraphQL writes it."""
    default = getattr(value, "default_value", Undefined)
    node = ast_from_value(default, value.type) if default is not Undefined and isinstance(value, GraphQLArgument) else None
    return f" = `{print_ast(node)}`" if node and default is not None else ""


def _type_link(kind: object) -> str:
    """The type as SDL writes it, its name a link to where it is explained."""
    named = get_named_type(kind)  # type: ignore[call-overload]  # any type of the schema
    if is_specified_scalar_type(named):
        return f"`{kind}`"
    return str(kind).replace("[", "\\[").replace("]", "\\]").replace(named.name, _link(named.name))


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _text(description: str | None) -> str:
    """On one line of a table."""
    return " ".join((description or "").split()).replace("|", "\\|")
