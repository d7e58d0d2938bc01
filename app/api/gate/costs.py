"""What an operation costs: objects, as many as could come back.

An object costs 1, a list what it could hold times what each of its elements costs, and a change 10 more. A page holds
`first` objects and `nodes(ids:)` as many as there are ids. Where those are variables, the cost depends on them: it is
worked out once for a document, as a sum that still has sizes in it, and then takes microseconds for each request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.api.gate.limits import ENOUGH
from app.paging import MAXIMUM

# What a list without pages is taken to hold: the lines of a quote, the streams of a run.
LIST_SIZE = 10
CHANGE = 10


@dataclass(frozen=True, slots=True)
class Size:
    """How much a variable makes of a list: a page's `first`, or a list of ids. `absent` is what it is without a value."""

    variable: str
    absent: int = MAXIMUM

    def of(self, variables: Mapping[str, Any]) -> int:
        value = variables.get(self.variable)
        if value is None:
            return self.absent
        if isinstance(value, list):
            return min(len(value), ENOUGH)
        return max(1, min(value, MAXIMUM)) if isinstance(value, int) else MAXIMUM


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """A cost that depends on variables: each part so many times."""

    parts: tuple[tuple["int | Size", "Cost"], ...]


Cost: TypeAlias = int | Sum


def added(costs: Iterable[Cost]) -> Cost:
    fixed, parts = 0, []
    for cost in costs:
        if isinstance(cost, int):
            fixed += cost
        else:
            parts.append((1, cost))
    if not parts:
        return min(fixed, ENOUGH)
    return Sum(((1, fixed), *parts)) if fixed or len(parts) > 1 else parts[0][1]


def times(size: "int | Size", cost: Cost) -> Cost:
    if cost == 0 or size == 0:
        return 0
    if isinstance(size, int) and isinstance(cost, int):
        return min(size * cost, ENOUGH)
    return Sum(((size, cost),))


def worth(cost: Cost, variables: Mapping[str, Any], known: dict[int, int] | None = None) -> int:
    """The number, with these variables. A sum that many others hold (a fragment) is worked out once."""
    if isinstance(cost, int):
        return cost
    known = {} if known is None else known
    if id(cost) not in known:
        total = 0
        for size, part in cost.parts:
            factor = size if isinstance(size, int) else size.of(variables)
            total += factor * worth(part, variables, known)
        known[id(cost)] = min(total, ENOUGH)
    return known[id(cost)]
