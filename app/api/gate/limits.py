"""The limits of the API, each a setting, and the refusal that names the limit and what was measured.

Nothing here knows a request or a schema: numbers go in, a sentence and its extensions come out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from graphql import GraphQLError, Node

from app.errors import Refusal
from app.settings import Settings

CODE = "LIMIT_EXCEEDED"
OPERATIONS = 1
"""How many operations one request may hold: batching is off."""
ENOUGH = 1_000_000
"""Where counting stops; what is greater is no more interesting."""

_SENTENCES = {
    "body": "This request is too big: it has {measured} bytes, and {allowed} bytes is the limit.",
    "batch": "This request holds {measured} operations; {allowed} is the limit. Send each by itself.",
    "document": "This document has {measured} characters; {allowed} is the limit.",
    "tokens": "This document has {measured} tokens; {allowed} is the limit.",
    "nesting": "This document has {measured} brackets inside one another; {allowed} is the limit.",
    "directives": "This document has {measured} directives; {allowed} is the limit.",
    "directives_per_place": "This document has {measured} directives in one place; {allowed} is the limit.",
    "fragments": "This document has {measured} fragments in one place; {allowed} is the limit.",
    "depth": "This operation is nested {measured} levels deep; {allowed} is the limit.",
    "aliases": "This operation has {measured} aliases; {allowed} is the limit.",
    "repeats": "This operation names one field {measured} times in one place; {allowed} is the limit.",
    "cost": "This operation could return {measured} objects; {allowed} is the limit. Ask for smaller pages.",
    "values": "The variables of this operation hold {measured} values; {allowed} is the limit.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one operation may ask for. Each is the setting `limit_…` of its name (app/settings.py explains them)."""

    body: int
    document: int
    tokens: int
    nesting: int
    directives: int
    directives_per_place: int
    fragments: int
    depth: int
    aliases: int
    repeats: int
    cost: int
    values: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(**{limit.name: getattr(settings, f"limit_{limit.name}") for limit in fields(cls)})

    def excesses(self, measured: Mapping[str, int]) -> Iterator["Excess"]:
        """One for each limit that is passed, in the order in which they were measured."""
        for limit, value in measured.items():
            if value > (allowed := getattr(self, limit)):
                yield Excess(limit, allowed, value)


DEFAULTS = Limits.of(Settings())


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit, and how far something is past it."""

    limit: str
    allowed: int
    measured: int

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.limit].format(allowed=f"{self.allowed:,}", measured=f"{self.measured:,}")

    @property
    def extensions(self) -> dict[str, Any]:
        return {"code": CODE, "fixBy": "CUSTOMER", "limit": self.limit, "allowed": self.allowed, "measured": self.measured}

    def error(self, node: Node | None = None) -> GraphQLError:
        return GraphQLError(self.sentence, node, extensions=self.extensions)


class LimitExceeded(Refusal):
    """This request is past a limit."""

    code = "limit_exceeded"

    def __init__(self, excess: Excess) -> None:
        super().__init__(excess.sentence)
        self.details = {"limit": excess.limit, "allowed": excess.allowed, "measured": excess.measured}
