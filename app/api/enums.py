"""Enumerations whose every value says what it means."""

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=type[Enum])


def enum(description: str, **values: str) -> Callable[[E], E]:
    """A GraphQL enumeration. `values` holds a sentence for each of its values, by name."""

    def decorate(kind: E) -> E:
        made = strawberry.enum(kind, description=description)
        for value in made.__strawberry_definition__.values:  # type: ignore[attr-defined]  # strawberry.enum has set it
            value.description = values[value.name]
        return made

    return decorate
