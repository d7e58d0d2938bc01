"""Faults on demand: which requests they meet, how often, and by which chance. What a kind does is each sandbox's own."""

from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated, Generic, TypeVar

import msgspec


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One wish: `kind` for requests of `method` (any if empty) whose path fits the pattern `path` (`*`, `?`, `[…]`).

    It meets the next `times` of them (None: all) after leaving `skip` alone, each with `probability`, drawn from `seed`.
    """

    kind: str
    method: str = ""
    path: str = "*"
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    seed: int = 0
    milliseconds: Annotated[int, msgspec.Meta(ge=0)] = 1000
    after_work: bool = False
    records: Annotated[int, msgspec.Meta(ge=1)] = 1
    met: int = 0

    def fits(self, method: str, path: str) -> bool:
        return (not self.method or self.method.upper() == method) and fnmatchcase(path.lower(), self.path.lower())


F = TypeVar("F", bound=Fault)


class Faults(Generic[F]):
    """The faults in force, and how many requests each kind has met since the start."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self._in_force: list[tuple[F, Random]] = []

    def __iter__(self) -> Iterator[F]:
        return (fault for fault, _ in self._in_force)

    def add(self, fault: F) -> None:
        self._in_force.append((fault, Random(fault.seed)))

    def clear(self) -> None:
        """End all faults; what they have met stays counted."""
        self._in_force.clear()

    def draw(self, fits: Callable[[F], bool]) -> list[F]:
        """All faults that fit a request and meet it; each is used up by as much."""
        return [fault for fault, chance in list(self._in_force) if fits(fault) and self._meets(fault, chance)]

    def _meets(self, fault: F, chance: Random) -> bool:
        if fault.skip:
            fault.skip -= 1
            return False
        if chance.random() >= fault.probability:
            return False
        fault.met += 1
        self.met[str(fault.kind)] += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._in_force = [kept for kept in self._in_force if kept[0] is not fault]
        return True
