"""What a field is: a column, a place in a JSON value, an expression, a relation. Declared beside each type, once.

A source holds SQL with places for what only the planner knows: `{row}` is the row that the object is made of, `{parent}`
the row around it, `{item}` the row that a relation leads to, `{value}` a filter's value, `{now}` the hub's clock,
`{titles}` the names of the providers as one JSON object, and `{organization}` whose rows are read, for a table inside a
condition. The organization's predicate on every other table is nobody's to declare: the planner puts it there, and the
client's wall.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from app.actors import Permission


@dataclass(frozen=True, slots=True)
class Expression:
    """A value of one row. `is_text` marks what comes out of JSON as text and takes its type from the field."""

    sql: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Inline:
    """An object made of the same row; null where `when` is not true."""

    shape: "Shape"
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list of objects, each made of one element of a JSON array; the element is the column `data` of its row."""

    shape: "Shape"
    sql: str


@dataclass(frozen=True, slots=True)
class One:
    """The row of another type that `where` finds; the first by `order` where there may be several.

    `summed`: all of them as one object, whose fields are sums; there is one also where there are no rows.
    """

    target: str
    where: str
    order: str | None = None
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """All rows of another type that `where` finds, in order; at most as many as the field's `first` says, if it has that."""

    target: str
    where: str
    order: str


@dataclass(frozen=True, slots=True)
class Key:
    """A column that a page is ordered and found by. The keys together tell any two rows apart."""

    column: str
    kind: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Ranges:
    """A page's rows lie in several ranges of an index, each of them in the page's order: one for each row of `sql`.

    `within` tells a range's rows, `{range}` is the range. Each is read in its order and no further than the page needs.
    """

    sql: str
    within: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What an argument leaves over. `sql` may depend on the argument where that is an enum or a boolean.

    `value` makes of the argument what Postgres compares with; it may raise InvalidInput. Where one of the arguments
    `unless` is given as well, only that one counts. With Ranges the rows come out of those.
    """

    sql: str | Callable[[Any], str] | Ranges
    kind: str = "text"
    value: Callable[[Any], Any] = lambda given: given
    unless: Sequence[str] = ()

    def condition(self, given: Any) -> str:
        """SQL that is true for the rows that are left, or that gives the ranges where they lie."""
        if isinstance(self.sql, Ranges):
            return self.sql.sql
        return self.sql if isinstance(self.sql, str) else self.sql(given)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of another type's rows, found by its keys; `filters` by the names of the arguments.

    `orders` are other keys, by the values of the argument `order`; each direction of an index is one.
    """

    target: str
    keys: Sequence[Key]
    where: str = "true"
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[str, Sequence[Key]] = field(default_factory=dict)
    ranges: Ranges | None = None

    def keys_for(self, order: Any) -> Sequence[Key]:
        """`order` is a member of the argument's enum, or None."""
        return self.orders.get(getattr(order, "value", order), self.keys)


@dataclass(frozen=True, slots=True)
class ById:
    """The one row whose id the argument `argument` holds as a global id."""

    target: str
    argument: str = "id"


@dataclass(frozen=True, slots=True)
class AnyById:
    """Whatever the argument's global ids name, in their order: `node` and `nodes`."""

    argument: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What only Python can tell; whoever asks for it asks the ordinary executor."""


Source: TypeAlias = Expression | Inline | Items | One | Many | Page | ById | AnyById | Resolved


@dataclass(frozen=True, slots=True)
class Shape:
    """What the fields of an object are, by their Python names. A field that is not named is the column of its name, unless
    it has a resolver: then the ordinary executor answers.

    `table` and `permission` are for types that rows of their own stand behind; `by_client` for tables whose rows belong
    to a client; `where` leaves over the rows that are of this type. `variants` makes a union of it: `kind` tells which
    type a row is.
    """

    fields: Mapping[str, Source] = field(default_factory=dict)
    table: str = ""
    permission: Permission | None = None
    by_client: bool = False
    where: str = "true"
    kind: str = ""
    variants: Mapping[str, str] = field(default_factory=dict)


SHAPES: dict[str, Shape] = {}
"""By GraphQL type, for types that relations and root fields lead to."""
ROOTS: dict[str, Source] = {}
"""By the Python name of a query."""


def declare(type_name: str, shape: Shape) -> None:
    """Say what the fields of a type are; beside the type."""
    SHAPES[type_name] = shape


def declare_root(name: str, source: Source) -> None:
    """Say what a query reads; beside the query."""
    ROOTS[name] = source


def column(name: str) -> Expression:
    return Expression(f"{{row}}.{name}")


def global_id(type_name: str, sql: str = "{row}.id") -> Expression:
    """The id as the API shows it."""
    return Expression(f"encode(('{type_name}:' || {sql})::bytea, 'base64')")


def json_text(*path: str, column: str = "data", default: str | None = None) -> Expression:
    """A value inside a JSON column; `default` where it is missing."""
    found = f"{{row}}.{column} #>> '{{{','.join(path)}}}'"
    return Expression(f"({found})" if default is None else f"coalesce({found}, {quoted(default)})", is_text=True)


def json_value(*path: str, column: str = "data", default: str = "null") -> Expression:
    """A part of a JSON column as it is; `default` is JSON."""
    return Expression(f"coalesce({{row}}.{column} #> '{{{','.join(path)}}}', {quoted(default)}::jsonb)")


def struct_fields(struct: type[msgspec.Struct], *path: str) -> dict[str, Source]:
    """The fields of a structure that is stored as JSON in the column `data`, defaults left out."""
    return {known.name: _struct_field(known, (*path, known.name)) for known in msgspec.structs.fields(struct)}


def _struct_field(known: msgspec.structs.FieldInfo, path: tuple[str, ...]) -> Source:
    kind = msgspec.inspect.type_info(known.type)
    if isinstance(kind, msgspec.inspect.StructType):
        return Inline(Shape(struct_fields(kind.cls, *path)))
    if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(kind.item_type, msgspec.inspect.StructType):
        return Items(Shape(struct_fields(kind.item_type.cls)), f"{{row}}.data #> '{{{','.join(path)}}}'")
    if isinstance(kind, msgspec.inspect.DictType):
        return json_value(*path, default="{}")
    default = None if known.default in (msgspec.NODEFAULT, None) else msgspec.to_builtins(known.default)
    return json_text(*path, default=None if default is None else str(default).lower() if isinstance(default, bool) else str(default))


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_case(subject: str, values: Mapping[str, str], otherwise: str | None = None) -> str:
    """SQL that chooses a value by the text that the subject is, NULL where `otherwise` is left out. All but the keys are SQL."""
    chosen = " ".join(f"WHEN {quoted(text)} THEN {value}" for text, value in values.items())
    return f"CASE {subject} {chosen}{'' if otherwise is None else f' ELSE {otherwise}'} END"
