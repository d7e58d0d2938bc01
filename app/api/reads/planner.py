"""Turns the fields of one operation into SQL: one statement, one column of JSON for each root field.

A root field that holds something only Python can tell is not planned (`Unplannable`); the ordinary executor answers it.
What one selection becomes, shortened:

    { quotes(first: 2) { nodes { number lines { total { amount } } } } }

    SELECT (SELECT json_build_object('nodes', coalesce(json_agg(json_build_object('number', t1.number, 'lines',
        (SELECT coalesce(json_agg(json_build_object('total', json_build_object('amount', (t2.total)::text))
            ORDER BY t2.position), '[]') FROM quote_line AS t2 WHERE t2.organization_id = $1 AND t2.quote_id = t1.id)
      )) FILTER (WHERE t1.place <= $2), '[]'))
      FROM (SELECT *, row_number() OVER () AS place FROM (SELECT * FROM quote AS t1 WHERE t1.organization_id = $1
        ORDER BY t1.id DESC LIMIT $2 + 1) AS t1) AS t1)::text
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from graphql import FieldNode, GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type

from app.api import ids
from app.api.reads.places import Listed, Place, parts_of_cursor
from app.api.reads.rendering import is_list, json_list, json_object, scalar
from app.api.reads.selections import Chosen, Selections
from app.api.reads.sources import (
    ROOTS,
    SHAPES,
    AnyById,
    ById,
    Expression,
    Filter,
    Inline,
    Items,
    Key,
    Many,
    One,
    Page,
    Ranges,
    Resolved,
    Shape,
    Source,
    column,
    quoted,
    sql_case,
)
from app.api.reads.statement import Arguments, Statement, Unplannable
from app.errors import InvalidInput
from app.paging import MAXIMUM, PageRequest


@dataclass
class Planner(Statement):
    """Plans the root fields of one operation for one kind of viewer."""

    selections: Selections
    arguments_of: Callable[[GraphQLField, FieldNode], Arguments]

    def root(self, definition: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        """The SQL expression of a root field's JSON. Raises Unplannable, and has then planned nothing."""
        with self.whole_or_nothing():
            source = ROOTS.get(python_name(definition))
            if source is None or isinstance(source, Resolved):
                raise Unplannable(f"{nodes[0].name.value} is answered by its resolver")
            self._require(source)
            return self._value(source, definition, nodes, row="", parent="")

    def total(self, parent: GraphQLObjectType, nodes: Sequence[FieldNode], of: UUID | None) -> str:
        """The statement that counts a page's whole list; `of` is the id of the row around it."""
        definition = parent.fields[nodes[0].name.value]
        name = python_name(definition)
        source = SHAPES[parent.name].fields[name] if parent.name in SHAPES else ROOTS[name]
        assert isinstance(source, Page)
        if not self._may(SHAPES[source.target]):
            return "SELECT 0"
        row = "" if of is None else self.alias()
        count = f"(SELECT {self._listed(source, definition, nodes, row).count})"
        return f"SELECT {count}" if of is None else f"SELECT {count} FROM (SELECT {self.parameter(lambda _: of, 'uuid')} AS id) AS {row}"

    def _require(self, source: Source) -> None:
        # A refusal has its own words; the executor knows them.
        if isinstance(source, ById | Page | Many) and not self._may(SHAPES[source.target]):
            raise Unplannable(f"{source.target} is not for this viewer")

    def _may(self, shape: Shape) -> bool:
        return shape.permission in self.viewer.permissions and (shape.by_client or not self.viewer.is_client)

    # Values.

    def _value(self, source: Source, definition: GraphQLField, nodes: Sequence[FieldNode], *, row: str, parent: str) -> str:
        kind = get_named_type(definition.type)
        match source:
            case Expression():
                if not is_leaf_type(kind):
                    raise Unplannable(f"{nodes[0].name.value} has no source")
                return self.leaf(self.filled(scalar(source, definition.type), row=row, parent=parent))
            case Inline():
                return self._inline(source, kind, nodes, row, parent)
            case Items():
                return self._items(source, kind, nodes, row, parent)
            case One():
                return self._one(source, kind, nodes, row)
            case Many():
                return self._many(source, definition, nodes, row)
            case Page():
                return self._page(source, definition, nodes, row)
            case ById():
                return self._by_id(source, definition, nodes)
            case AnyById():
                return self._any_by_id(source, definition, nodes)
            case Resolved():
                raise Unplannable(f"{nodes[0].name.value} is told by Python")

    def _object(self, shape: Shape, kind: Any, nodes: Sequence[FieldNode], row: str, parent: str) -> str:
        """An object, or one of several types where the shape has variants."""
        if shape.variants:
            objects = {value: self._object(SHAPES[name], self._type(name), nodes, row, parent) for value, name in shape.variants.items()}
            return sql_case(self.filled(shape.kind, row=row, parent=parent), objects)
        below = self.selections.below(kind, nodes)
        return json_object([(key, self._field(shape, kind, chosen, row, parent)) for key, chosen in below.items()])

    def _type(self, name: str) -> GraphQLObjectType:
        kind = self.selections.schema.get_type(name)
        assert isinstance(kind, GraphQLObjectType)
        return kind

    def _field(self, shape: Shape, kind: GraphQLObjectType, nodes: Sequence[FieldNode], row: str, parent: str) -> str:
        name = nodes[0].name.value
        if name == "__typename":
            return self.leaf(quoted(kind.name))
        definition = kind.fields[name]
        source = shape.fields.get(python_name(definition))
        if source is None and has_resolver(definition):
            raise Unplannable(f"{kind.name}.{name} has a resolver and no source")
        return self._value(source or column(python_name(definition)), definition, nodes, row=row, parent=parent)

    def _inline(self, source: Inline, kind: Any, nodes: Sequence[FieldNode], row: str, parent: str) -> str:
        value = self._object(source.shape, kind, nodes, row, parent)
        return value if source.when is None else f"CASE WHEN {self.filled(source.when, row=row, parent=parent)} THEN {value} END"

    def _items(self, source: Items, kind: Any, nodes: Sequence[FieldNode], row: str, parent: str) -> str:
        item = self.alias()
        value = self._object(source.shape, kind, nodes, item, parent=row)
        array = self.filled(source.sql, row=row, parent=parent)
        elements = f"jsonb_array_elements({array}) WITH ORDINALITY AS {item} (data, place)"
        return f"(SELECT {json_list(value, f'{item}.place')} FROM {elements})"

    # Relations.

    def _one(self, source: One, kind: Any, nodes: Sequence[FieldNode], row: str) -> str:
        shape, item = SHAPES[source.target], self.alias()
        if not self._may(shape):
            return "NULL"
        value = self._object(shape, kind, nodes, item, parent=row)
        if source.summed:
            value = _one_of_all(value)
        order = f" ORDER BY {self.filled(source.order, item=item, row=row)}" if source.order else ""
        return f"(SELECT {value} FROM {shape.table} AS {item} WHERE {self.where(shape, source.where, item, row)}{order} LIMIT 1)"

    def _many(self, source: Many, definition: GraphQLField, nodes: Sequence[FieldNode], row: str) -> str:
        shape, item = SHAPES[source.target], self.alias()
        if not self._may(shape):
            return "'[]'::json"
        value = self._object(shape, get_named_type(definition.type), nodes, item, parent=row)
        where, order = self.where(shape, source.where, item, row), self.filled(source.order, item=item, row=row)
        if "first" not in definition.args:
            return f"(SELECT {json_list(value, order)} FROM {shape.table} AS {item} WHERE {where})"
        limit = self.argument(definition, nodes, lambda given: PageRequest(given["first"]).first, "int")
        rows = f"SELECT * FROM {shape.table} AS {item} WHERE {where} ORDER BY {order} LIMIT {limit}"
        return f"(SELECT {json_list(value)} FROM ({rows}) AS {item})"

    def _by_id(self, source: ById, definition: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        shape, item = SHAPES[source.target], self.alias()
        wanted = self.argument(definition, nodes, lambda given: ids.uuid_of(given[source.argument], source.target), "uuid")
        value = self._object(shape, get_named_type(definition.type), nodes, item, parent="")
        where = self.where(shape, f"{{item}}.id = {wanted}", item, "")
        return f"(SELECT {value} FROM {shape.table} AS {item} WHERE {where})"

    def _any_by_id(self, source: AnyById, definition: GraphQLField, nodes: Sequence[FieldNode]) -> str:
        given = self.alias()
        kinds = self.argument(definition, nodes, lambda values: [kind for kind, _ in _parsed(values[source.argument])], "text[]")
        wanted = self.argument(definition, nodes, lambda values: [id for _, id in _parsed(values[source.argument])], "uuid[]")
        names = _with_shape(self._nodes_of(definition))
        value = sql_case(f"{given}.kind", {name: self._named(name, nodes, given) for name in names})
        table = f"unnest({kinds}, {wanted}) WITH ORDINALITY AS {given} (kind, id, place)"
        return f"(SELECT {json_list(value, f'{given}.place') if is_list(definition.type) else value} FROM {table})"

    def _nodes_of(self, definition: GraphQLField) -> list[str]:
        interface = get_named_type(definition.type)
        assert isinstance(interface, GraphQLInterfaceType | GraphQLUnionType)
        return sorted(kind.name for kind in self.selections.schema.get_possible_types(interface))

    def _named(self, name: str, nodes: Sequence[FieldNode], given: str) -> str:
        shape, kind, item = SHAPES[name], self._type(name), self.alias()
        if not self._may(shape):
            return "NULL"
        where = self.where(shape, "{item}.id = {row}.id", item, given)
        return f"(SELECT {self._object(shape, kind, nodes, item, parent='')} FROM {shape.table} AS {item} WHERE {where})"

    # Pages.

    def _page(self, source: Page, definition: GraphQLField, nodes: Sequence[FieldNode], row: str) -> str:
        shape = SHAPES[source.target]
        if not self._may(shape):
            raise Unplannable(f"{source.target} is not for this viewer")
        given = self.arguments_of(definition, nodes[0])
        size = self.argument(definition, nodes, lambda values: PageRequest(values["first"]).first, "int")
        listed = self._listed(source, definition, nodes, row)
        keys = source.keys_for(given.get("order"))
        place = Place(keys, size, has_previous=given.get("after") is not None, listed=listed)
        after = self._cursor(keys, definition, nodes) if place.has_previous else []
        value = self._listing(shape, get_named_type(definition.type), nodes, row, place)
        numbered = f"SELECT *, row_number() OVER () AS place FROM ({place.rows(after)}) AS {listed.item}"
        return f"(SELECT {_one_of_all(value)} FROM ({numbered}) AS {listed.item})"

    def _listed(self, source: Page, definition: GraphQLField, nodes: Sequence[FieldNode], row: str) -> Listed:
        """The whole list that the arguments leave over."""
        shape, item = SHAPES[source.target], self.alias()
        filters = self._filters(source, definition, nodes, item, row)
        where = [self.where(shape, source.where, item, row), *(sql for chosen, sql in filters if not isinstance(chosen.sql, Ranges))]
        ranges = [(source.ranges, self.filled(source.ranges.sql, row=row))] if source.ranges else []
        ranges += [(chosen.sql, sql) for chosen, sql in filters if isinstance(chosen.sql, Ranges)]
        if not ranges:
            return Listed(shape.table, item, where)
        ((known, sql),), alias = ranges, self.alias()
        return Listed(shape.table, item, where, sql, alias, self.filled(known.within.replace("{range}", alias), item=item))

    def _filters(self, source: Page, definition: GraphQLField, nodes: Sequence[FieldNode], item: str, row: str) -> list[tuple[Filter, str]]:
        """The filters whose arguments are given, each with its SQL."""
        given, found = self.arguments_of(definition, nodes[0]), []
        for name, chosen in source.filters.items():
            if given.get(name) is None:
                continue
            # One that does not count must still be a good one.
            counts = all(given.get(other) is None for other in chosen.unless)
            wanted = chosen.condition(given[name]) if counts else "{value} IS NOT NULL"
            condition = self.filled(wanted, item=item, row=row)
            if "{value}" in condition:
                bound = self.argument(definition, nodes, partial(_compared, name, chosen), chosen.kind)
                condition = condition.replace("{value}", bound)
            found.append((chosen, condition))
        return found

    def _cursor(self, keys: Sequence[Key], definition: GraphQLField, nodes: Sequence[FieldNode]) -> list[str]:
        return [self.argument(definition, nodes, part, key.kind) for key, part in zip(keys, parts_of_cursor(keys), strict=True)]

    def _listing(self, shape: Shape, kind: Any, nodes: Sequence[FieldNode], row: str, place: Place) -> str:
        pairs = []
        for key, chosen in self.selections.below(kind, nodes).items():
            name = chosen[0].name.value
            inner = get_named_type(kind.fields[name].type) if name in kind.fields else None
            pairs.append((key, self._listing_part(name, shape, kind, inner, chosen, row, place)))
        return json_object(pairs)

    def _listing_part(self, name: str, shape: Shape, kind: Any, inner: Any, nodes: Sequence[FieldNode], row: str, place: Place) -> str:
        match name:
            case "nodes":
                return place.kept(self._object(shape, inner, nodes, place.item, parent=row))
            case "edges":
                return place.kept(self._edge(shape, inner, nodes, row, place))
            case "pageInfo":
                return json_object(self._named_parts(inner, nodes, place.page_info))
            case "totalCount":
                return f"(SELECT {place.listed.count})"
            case "__typename":
                return quoted(kind.name)
        raise Unplannable(f"{name} is not part of a page")

    def _edge(self, shape: Shape, kind: Any, nodes: Sequence[FieldNode], row: str, place: Place) -> str:
        node = get_named_type(kind.fields["node"].type)
        parts: dict[str, Callable[[Sequence[FieldNode]], str]] = {
            "node": lambda chosen: self._object(shape, node, chosen, place.item, parent=row),
            "cursor": lambda _: place.cursor,
        }
        return json_object(self._named_parts(kind, nodes, parts))

    def _named_parts(self, kind: Any, nodes: Sequence[FieldNode], parts: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Fields whose SQL is known by their names; a callable gets the places that ask for the field."""
        below: Chosen = self.selections.below(kind, nodes)
        return [(key, _part(kind, chosen, parts)) for key, chosen in below.items()]


def _one_of_all(value: str) -> str:
    """One answer of all rows, also of none, and where nothing in it is an aggregate: counting makes it one."""
    return f"CASE WHEN count(*) >= 0 THEN {value} END"


def _compared(name: str, chosen: Filter, given: Arguments) -> Any:
    """What a filter's condition compares with."""
    return chosen.value(given[name])


def _part(kind: Any, nodes: Sequence[FieldNode], parts: Mapping[str, Any]) -> str:
    name = nodes[0].name.value
    if name == "__typename":
        return quoted(kind.name)
    part = parts[name]
    return part if isinstance(part, str) else str(part(nodes))


def has_resolver(definition: GraphQLField) -> bool:
    """Whether Python works the field out, so that no column of its name can be taken for it."""
    return definition.extensions["strawberry-definition"].base_resolver is not None


def python_name(definition: GraphQLField) -> str:
    name = str(definition.extensions["strawberry-definition"].python_name)
    return "id" if name == "_id" else name  # a Relay node's id


def _parsed(given: str | list[str]) -> list[tuple[str, UUID]]:
    texts = [given] if isinstance(given, str) else given
    if len(texts) > MAXIMUM:
        raise Unplannable(f"more than {MAXIMUM} ids")
    return [_parsed_one(text) for text in texts]


def _parsed_one(text: str) -> tuple[str, UUID]:
    """An id that is none of ours finds nothing. Raises Unplannable for a type without a shape."""
    try:
        kind, value = ids.parse(text)
    except InvalidInput:
        return "", UUID(int=0)
    if kind not in SHAPES:
        raise Unplannable(f"{kind} is answered by its resolver")
    return kind, value


def _with_shape(names: Sequence[str]) -> list[str]:
    return [name for name in names if name in SHAPES]
