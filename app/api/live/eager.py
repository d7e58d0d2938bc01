"""Runs a coroutine at once up to the point where it has to wait, as later versions of Python do for tasks."""

import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


def begin(coroutine: Coroutine[Any, Any, object]) -> Awaitable[None] | None:
    """Run it until it ends (None) or must wait (its rest, which somebody has to await or close). Raises what it raises."""
    try:
        waiting = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waiting)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, object], waiting: Any) -> Generator[Any, Any, None]:
    """What `await coroutine` does after its first wait."""
    try:
        while True:
            try:
                value = yield waiting
            except BaseException as error:
                waiting = coroutine.throw(error)
            else:
                waiting = coroutine.send(value)
    except StopIteration:
        return
