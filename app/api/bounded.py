"""A cache that forgets what was not asked for the longest, bounded in number and in size."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Holds at most so many entries and so much of their size, whatever the size counts."""

    def __init__(self, entries: int, size: int) -> None:
        self._entries, self._size = entries, size
        self._held: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._total = 0

    def get(self, key: K) -> V | None:
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, *, size: int) -> None:
        self.drop(key)
        self._held[key] = value, size
        self._total += size
        while len(self._held) > self._entries or self._total > self._size:
            _, (_, gone) = self._held.popitem(last=False)
            self._total -= gone

    def drop(self, key: K) -> None:
        _, size = self._held.pop(key, (None, 0))
        self._total -= size

    def __len__(self) -> int:
        return len(self._held)
