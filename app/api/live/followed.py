"""What a subscription follows.

The field of a subscription is resolved in two ways. For whoever subscribes it checks the arguments, notes in the context
what is followed from which place, and gives no event: app/api/live/groups.py sends them. For a press (app/api/live/presses.py) it
turns one event after the other into what the document selects from, for all who follow the same.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
from graphql import GraphQLResolveInfo, VariableNode, Visitor, visit

from app.actors import Permission
from app.errors import InvalidInput
from app.feed.models import Event

if TYPE_CHECKING:
    from app.api.context import Context, Info

P = TypeVar("P", covariant=True)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subscriber is: in the feed, and in the revisions of the one subject that it follows."""

    sequence: int
    revision: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Raises InvalidInput."""
        sequence, _, revision = cursor.partition(".")
        if not (sequence.isascii() and sequence.isdigit() and revision.isascii() and revision.isdigit()) or len(cursor) > 36:
            raise InvalidInput(fields={"after": "This cursor is not one of ours; start again without it."})
        return cls(int(sequence), int(revision))

    def __str__(self) -> str:
        return f"{self.sequence}.{self.revision}"


def cursor(event: Event) -> str:
    """What a client gives as `after` to go on behind this event."""
    return str(Place(event.sequence, event.revision))


class Followed(Protocol[P]):
    """A subject, or several, whose changes are followed."""

    @property
    def permission(self) -> Permission: ...

    @property
    def topics(self) -> frozenset[str]: ...

    @property
    def subject_id(self) -> UUID | None: ...

    async def revision(self, context: "Context") -> int | None:
        """The subject's present revision; None where several are followed. Raises what tells that it is not there."""

    async def payload(self, context: "Context", event: Event) -> P:
        """What the document selects from."""

    def is_last(self, event: Event, payload: Any) -> bool:
        """Whether nothing can come after this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The operation that is rendered for each event. Those who ask the same are rendered together."""

    query: str
    operation_name: str | None
    variables: bytes
    """As JSON, without the one that only says from which place."""

    @classmethod
    def of(cls, info: GraphQLResolveInfo[Any], variables: Mapping[str, Any] | None) -> "Asked":
        place = _variable_of_place(info)
        given = {name: value for name, value in (variables or {}).items() if name != place}
        name, location = info.operation.name, info.operation.loc
        if location is None:
            raise RuntimeError("A document was parsed without its locations.")
        return cls(location.source.body, name.value if name else None, msgspec.json.encode(given, order="deterministic"))


def _variable_of_place(info: GraphQLResolveInfo[Any]) -> str | None:
    """The variable that is the argument `after` and nothing else."""
    for argument in info.field_nodes[0].arguments or ():
        if argument.name.value == "after" and isinstance(argument.value, VariableNode):
            name = argument.value.name.value
            mentions = _Mentions(name)
            for node in (info.operation, *info.fragments.values()):
                visit(node, mentions)
            return name if mentions.count == 2 else None  # where it is declared, and here
    return None


class _Mentions(Visitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.count = 0

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.count += node.name.value == self.name


@dataclass(frozen=True, slots=True)
class Following(Generic[P]):
    """What one subscriber follows, from which place."""

    subject: Followed[P]
    asked: Asked
    place: Place
    first: Event | None = None
    """How things are now, for whoever has not seen anything yet."""
    over: bool = False
    """It has ended, and the subscriber has seen that."""


async def followed(info: "Info", subject: Followed[P], after: str | None) -> AsyncGenerator[P, None]:
    """Resolves the field of a subscription, in the two ways that are told above."""
    context = info.context
    if context.press is None:
        context.actor.require(subject.permission)
        context.following = await _following(context, subject, after, Asked.of(info._raw_info, context.variables))
        return
    async for event in context.press.events():
        try:
            payload = await subject.payload(context, event)
        except Exception:
            context.press.has_failed = True
            raise
        context.press.is_last = subject.is_last(event, payload)
        yield payload


async def _following(context: "Context", subject: Followed[P], after: str | None, asked: Asked) -> Following[P]:
    """First the place, then how things are: what happens in between is told twice at worst, and its revision says so."""
    if after is not None:
        place, head = Place.read(after), await context.hub.feed.head(context.actor.scope)
        revision = await subject.revision(context)
        over = revision is not None and revision <= place.revision and await _has_ended(context, subject, revision)
        return Following(subject, asked, Place(min(place.sequence, head), place.revision if revision is not None else 0), over=over)
    head = await context.hub.feed.head(context.actor.scope)
    revision = await subject.revision(context)
    if revision is None or subject.subject_id is None:
        return Following(subject, asked, Place(head))
    first = Event(head, min(subject.topics), subject.subject_id, revision, {})
    return Following(subject, asked, Place(head, revision), first)


async def _has_ended(context: "Context", subject: Followed[P], revision: int) -> bool:
    """Whether what is followed has come to its end with this revision."""
    now = Event(0, min(subject.topics), subject.subject_id or UUID(int=0), revision, {})
    return subject.is_last(now, await subject.payload(context, now))
