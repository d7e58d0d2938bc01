"""How a value of Postgres becomes the JSON that the API's scalars and enums promise."""

from collections.abc import Sequence

from graphql import GraphQLEnumType, GraphQLList, GraphQLNamedType, GraphQLNonNull, GraphQLOutputType, get_named_type

from app.api.reads.sources import Expression, quoted, sql_case

# Six digits always, as app/api/types/scalars.py writes them.
_MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_FROM_TEXT = {
    "Int": "({})::int",
    "Float": "({})::float8",
    "Boolean": "({})::boolean",
    "Decimal": "({})::numeric",
    "DateTime": "({})::timestamptz",
    "Date": "({})::date",
}
_TO_JSON = {"DateTime": _MOMENT, "Date": "({})::text", "Decimal": "({})::text", "Float": "({})::float8"}
_MOST_PAIRS = 40
"""A function of Postgres takes at most 100 arguments."""


def scalar(expression: Expression, kind: GraphQLOutputType) -> str:
    """SQL of a leaf: a scalar, an enum, or a list of either that needs no conversion."""
    named = get_named_type(kind)
    sql = expression.sql
    if is_list(kind):
        return sql
    if expression.is_text and named.name in _FROM_TEXT:
        sql = _FROM_TEXT[named.name].format(sql)
    if isinstance(named, GraphQLEnumType):
        return _enum(sql, named)
    return _TO_JSON[named.name].format(sql) if named.name in _TO_JSON else sql


def is_list(kind: GraphQLOutputType | GraphQLNamedType) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _enum(sql: str, kind: GraphQLEnumType) -> str:
    """Names of an enum are its stored values in capitals; where they are not, each is told."""
    stored = {name: str(getattr(value.value, "value", value.value)) for name, value in kind.values.items()}
    if all(name == value.upper() for name, value in stored.items()):
        return f"upper({sql})"
    return sql_case(sql, {value: quoted(name) for name, value in stored.items()})


def json_object(pairs: Sequence[tuple[str, str]]) -> str:
    """A JSON object of names and SQL values, in their order."""
    parts = [_small_object(pairs[start : start + _MOST_PAIRS]) for start in range(0, len(pairs), _MOST_PAIRS)] or [_small_object([])]
    while len(parts) > 1:
        left, right, *rest = parts
        parts = [f"(left({left}::text, -1) || ', ' || substr({right}::text, 2))::json", *rest]
    return parts[0]


def _small_object(pairs: Sequence[tuple[str, str]]) -> str:
    return f"json_build_object({', '.join(f'{quoted(name)}, {value}' for name, value in pairs)})"


def json_list(value: str, order: str = "") -> str:
    """All rows' values as one JSON array, also of no rows."""
    return f"coalesce(json_agg({value}{f' ORDER BY {order}' if order else ''}), '[]')"


def cursor(keys: Sequence[str]) -> str:
    """The cursor of a row, as app/paging.py writes it: its keys as JSON, in base64 for addresses."""
    json = " || ',' || ".join(f"to_json({key})::text" for key in keys)
    text = json if len(keys) == 1 else f"'[' || {json} || ']'"
    return f"translate(encode(convert_to({text}, 'UTF8'), 'base64'), E'+/=\\n', '-_')"
