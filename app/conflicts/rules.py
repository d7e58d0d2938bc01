"""The three-way merge: what both had, what the hub has, what the provider has; field by field. Pure.

A field that only one side changed is taken from that side. One that both changed to the same value is agreed. One that both
changed differently is decided by the policy, or waits for somebody.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Rule(StrEnum):
    """Who wins where both sides changed the same field differently."""

    ASK = "ask"
    PROVIDER_WINS = "provider_wins"
    HUB_WINS = "hub_wins"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Times:
    """When each side was last changed, where that is known; for the rule `newest`."""

    ours: datetime | None = None
    theirs: datetime | None = None

    @property
    def newest(self) -> Rule:
        """Whose change is later; nobody's where a time is missing or they are the same: then somebody is asked."""
        if self.ours is None or self.theirs is None or self.ours == self.theirs:
            return Rule.ASK
        return Rule.PROVIDER_WINS if self.theirs > self.ours else Rule.HUB_WINS


@dataclass(slots=True)
class Merge:
    """What a merge came to, by fields."""

    theirs: set[str] = field(default_factory=set)
    """To be taken from the provider."""
    ours: set[str] = field(default_factory=set)
    """To be brought to the provider."""
    conflicts: set[str] = field(default_factory=set)
    """Left as the hub has them until somebody decides."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Which fields differ between the three (Translator.changed).

    Where nothing is known of a base, it is taken as empty: what one side leaves empty is then taken from the other.
    """

    between: Collection[str]
    """Between hub and provider as they are now."""
    ours: Collection[str]
    """Between the base and the hub."""
    theirs: Collection[str]
    """Between the base and the provider."""


def merge(
    differences: Differences,
    rule: Callable[[str], Rule],
    *,
    times: Times = Times(),
    open_conflicts: Collection[str] = (),
) -> Merge:
    """Merge the fields that differ; one with an open conflict stays in it until both sides agree or somebody decides."""
    merged = Merge()
    for name in differences.between:
        if name in open_conflicts:
            merged.conflicts.add(name)
        elif name not in differences.ours:
            merged.theirs.add(name)
        elif name not in differences.theirs:
            merged.ours.add(name)
        else:
            _side(merged, rule(name), times).add(name)
    return merged


def _side(merged: Merge, rule: Rule, times: Times) -> set[str]:
    """Where a field belongs that both sides changed differently."""
    decided = times.newest if rule is Rule.NEWEST else rule
    return {Rule.PROVIDER_WINS: merged.theirs, Rule.HUB_WINS: merged.ours}.get(decided, merged.conflicts)
