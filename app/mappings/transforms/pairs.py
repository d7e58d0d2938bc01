"""What every transform is: the way from the provider's value to the hub's, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.connectors.base import Account

Step = Callable[[Any, Account], Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """A transform. `pull(push(x)) == x` for every value of the hub that `push` does not refuse with ValueError."""

    pull: Step
    push: Step | None
    lost: str = ""
    """Why there is no way back, where `push` is None."""
    examples: tuple[Any, ...] = ()
    """Values of the hub that it is made for, where not every value of the field's type will do."""


def shown(value: Any) -> str:
    """The beginning of a value, for a sentence about it."""
    return repr(value[:40] if isinstance(value, str) else str(value)[:40])
