"""The text of one statement while it is made: its tables, its walls, and the parameters that it is run with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from graphql import FieldNode, GraphQLField

from app.actors import Permission
from app.api.reads.sources import Shape

_MOST_TABLES, _MOST_CHARACTERS = 150, 100_000
"""What one statement may read, and how much text its fields may take. Beyond that Postgres plans longer than resolvers work."""

Arguments = Mapping[str, Any]


class Unplannable(Exception):
    """Only the ordinary executor can answer this; the message says why."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads, as far as the text of a statement depends on it."""

    permissions: frozenset[Permission]
    is_client: bool


@dataclass(frozen=True, slots=True)
class Values:
    """What a statement is run with: who asks, the moment, and the arguments of each field that takes some."""

    organization_id: UUID
    client_id: UUID | None
    environment: Mapping[str, Callable[[], Any]]
    arguments: Sequence[Arguments]


Binder = Callable[[Values], Any]
"""Gives a parameter its value. May raise InvalidInput: then the ordinary executor says what is wrong."""


@dataclass
class Statement:
    """What the SQL of all root fields shares."""

    viewer: Viewer
    binders: list[Binder] = field(default_factory=list, kw_only=True)
    calls: list[tuple[GraphQLField, FieldNode]] = field(default_factory=list, kw_only=True)
    _known: dict[str, str] = field(default_factory=dict, kw_only=True)
    _aliases: int = field(default=0, kw_only=True)
    _characters: int = field(default=0, kw_only=True)

    @contextmanager
    def whole_or_nothing(self) -> Iterator[None]:
        """What turns out to be unplannable in here leaves nothing in the statement."""
        binders, calls, known, size = len(self.binders), len(self.calls), dict(self._known), (self._aliases, self._characters)
        try:
            yield
        except Unplannable:
            # Postgres accepts no parameter that its statement does not use.
            del self.binders[binders:], self.calls[calls:]
            self._known, (self._aliases, self._characters) = known, size
            raise

    def alias(self) -> str:
        self._aliases += 1
        if self._aliases > _MOST_TABLES:
            raise Unplannable(f"more than {_MOST_TABLES} tables")
        return f"t{self._aliases}"

    def where(self, shape: Shape, where: str, item: str, row: str) -> str:
        """Both walls first, then what is wanted."""
        walls = f"{item}.organization_id = {self._any_organization if row else self._organization}"
        if self.viewer.is_client:
            walls += f" AND {item}.client_id = {self._bound('client', lambda values: values.client_id, 'uuid')}"
        wanted = [self.filled(condition, item=item, row=row) for condition in (shape.where, where) if condition != "true"]
        return " AND ".join([walls, *wanted])

    def filled(self, sql: str, **places: str) -> str:
        for name in ("row", "parent", "item"):
            sql = sql.replace(f"{{{name}}}", places.get(name, ""))
        if "{organization}" in sql:
            sql = sql.replace("{organization}", self._any_organization)
        if "{now}" in sql:
            sql = sql.replace("{now}", self._bound("now", lambda values: values.environment["now"](), "timestamptz"))
        if "{titles}" in sql:
            sql = sql.replace("{titles}", self._bound("titles", lambda values: values.environment["titles"](), "jsonb"))
        return sql

    @property
    def _organization(self) -> str:
        return self._bound("organization", lambda values: values.organization_id, "uuid")

    @property
    def _any_organization(self) -> str:
        """The same for what belongs to a row: looked up by a plan for any organization (`for_any_owner` in app/statements.py)."""
        return f"(SELECT {self._organization})"

    def _bound(self, name: str, binder: Binder, kind: str) -> str:
        """A parameter that a statement needs once."""
        if name not in self._known:
            self._known[name] = self.parameter(binder, kind)
        return self._known[name]

    def parameter(self, binder: Binder, kind: str) -> str:
        self.binders.append(binder)
        return f"${len(self.binders)}::{kind}"

    def argument(self, definition: GraphQLField, nodes: Sequence[FieldNode], value: Callable[[Arguments], Any], kind: str) -> str:
        """A parameter that comes from a field's arguments."""
        number = next((place for place, (_, node) in enumerate(self.calls) if node is nodes[0]), len(self.calls))
        if number == len(self.calls):
            self.calls.append((definition, nodes[0]))
        return self.parameter(lambda values: value(values.arguments[number]), kind)

    def leaf(self, sql: str) -> str:
        self._characters += len(sql)
        if self._characters > _MOST_CHARACTERS:
            raise Unplannable(f"more than {_MOST_CHARACTERS} characters")
        return sql
