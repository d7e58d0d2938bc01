"""Where a page lies in its list, in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.api.reads.rendering import cursor
from app.api.reads.sources import Key
from app.paging import PageRequest

_KINDS: dict[str, type] = {"uuid": UUID, "text": str, "bigint": int}
"""What a cursor holds of a key, by the key's type in Postgres."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list: the rows of a table that some conditions leave over, or that lie in some ranges of an index besides."""

    table: str
    item: str
    where: Sequence[str]
    ranges: str = ""
    """SQL that gives the ranges, where there are some; `alias` is theirs."""
    alias: str = ""
    within: str = ""

    @property
    def count(self) -> str:
        around = f"({self.ranges}) AS {self.alias}, " if self.ranges else ""
        return f"count(*) FROM {around}{self.table} AS {self.item} WHERE {self._conditions()}"

    def rows(self, behind: Sequence[str], order: str, limit: str) -> str:
        """The first of them in this order that fit the conditions `behind`."""
        found = f"SELECT * FROM {self.table} AS {self.item} WHERE {self._conditions(*behind)} ORDER BY {order} LIMIT {limit}"
        if not self.ranges:
            return found
        each = f"({self.ranges}) AS {self.alias} CROSS JOIN LATERAL ({found}) AS {self.item}"
        return f"SELECT {self.item}.* FROM {each} ORDER BY {order} LIMIT {limit}"

    def _conditions(self, *behind: str) -> str:
        return " AND ".join([*self.where, *([self.within] if self.within else ()), *behind])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies: one more row than its size was read, `place` counts them."""

    keys: Sequence[Key]
    size: str
    has_previous: bool
    listed: Listed

    @property
    def item(self) -> str:
        return self.listed.item

    def rows(self, after: Sequence[str]) -> str:
        """The rows of the page and one more, behind a cursor of these values."""
        return self.listed.rows([self.behind(after)] if after else [], self.order, f"{self.size} + 1")

    def kept(self, value: str) -> str:
        return f"coalesce(json_agg({value}) FILTER (WHERE {self.item}.place <= {self.size}), '[]')"

    @property
    def cursor(self) -> str:
        return cursor([f"{self.item}.{key.column}" for key in self.keys])

    @property
    def page_info(self) -> dict[str, str]:
        cursors = f"(array_agg({self.cursor}) FILTER (WHERE {self.item}.place <= {self.size}))"
        return {
            "hasNextPage": f"count(*) > {self.size}",
            "hasPreviousPage": "true" if self.has_previous else "false",
            "startCursor": f"{cursors}[1]",
            "endCursor": f"{cursors}[least({self.size}, count(*))]",
        }

    @property
    def order(self) -> str:
        return ", ".join(f"{self.item}.{key.column}{' DESC' if key.descending else ''}" for key in self.keys)

    def behind(self, values: Sequence[str]) -> str:
        """The rows behind a cursor of these values. The keys run in one direction, so that one comparison of rows finds them."""
        columns = ", ".join(f"{self.item}.{key.column}" for key in self.keys)
        return f"({columns}) {'<' if self.keys[0].descending else '>'} ({', '.join(values)})"


def parts_of_cursor(keys: Sequence[Key]) -> list[Callable[[Mapping[str, Any]], Any]]:
    """For each key, what finds its value in the argument `after`. They raise InvalidInput for a cursor that is not ours."""
    kinds = [_KINDS[key.kind] for key in keys]
    whole: Any = tuple[tuple(kinds)] if len(kinds) > 1 else kinds[0]  # type: ignore[misc]  # a type made of values

    def part(number: int) -> Callable[[Mapping[str, Any]], Any]:
        def find(given: Mapping[str, Any]) -> Any:
            found = PageRequest(after=given["after"]).key(whole)
            return found[number] if isinstance(found, tuple) else found

        return find

    return [part(number) for number in range(len(keys))]
