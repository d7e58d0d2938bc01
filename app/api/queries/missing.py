"""What all queries have in common."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from app.errors import NotFound

P = ParamSpec("P")
R = TypeVar("R")


def or_null(resolver: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """What does not exist, or may not be seen, is null; which of the two it is, nobody is told."""

    @functools.wraps(resolver)
    async def find(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await resolver(*args, **kwargs)
        except NotFound:
            return None  # type: ignore[return-value]  # every resolver that this wraps may answer null

    return find
