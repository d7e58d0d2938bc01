"""Refusals as data. A mutation answers with what it did or with why it did not; neither is a GraphQL error.

Every refusal says in one sentence what is true, has a code for programs, and says who can fix it. A mutation's union
names the refusals that have something more to tell; any other one arrives as `RequestRefused`.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, ClassVar, ParamSpec, Self, TypeVar, Union, get_args, get_origin

import strawberry

from app.api.enums import enum
from app.errors import HubError, IdempotencyKeyReused, InvalidInput, NotFound, PermissionDenied

P = ParamSpec("P")
R = TypeVar("R")


@enum(
    "Who can fix something that went wrong.",
    CUSTOMER="Whoever asked, by doing something differently.",
    TIME="Time: it is tried again, or can be asked again later.",
    US="Whoever runs this hub.",
)
class FixBy(Enum):
    CUSTOMER = "customer"
    TIME = "time"
    US = "us"


@strawberry.interface(description="Why something was not done. Nothing was changed.")
class Refusal:
    message: str = strawberry.field(description="One sentence for the person who can fix it.")
    code: str = strawberry.field(description="The same for programs, like `quote_changed`; it never changes.")
    fix_by: FixBy = strawberry.field(description="Who can fix it.")

    refuses: ClassVar[tuple[type[HubError], ...]] = ()
    """The errors that this type tells of, their subclasses included."""

    @classmethod
    def of(cls, error: Any) -> Self:
        return cls(**common(error))


def common(error: HubError) -> dict[str, Any]:
    """The fields that every refusal has."""
    return {"message": error.message, "code": error.code, "fix_by": FixBy(error.fix_by.value)}


@strawberry.type(description="A refusal that has nothing to tell beyond its sentence.")
class RequestRefused(Refusal):
    pass


@strawberry.type(name="PermissionDenied", description="The role of whoever asked does not allow this.")
class PermissionDeniedRefusal(Refusal):
    refuses = (PermissionDenied,)


@strawberry.type(name="NotFound", description="It does not exist, or whoever asked may not see it.")
class NotFoundRefusal(Refusal):
    refuses = (NotFound,)


@strawberry.type(name="IdempotencyKeyReused", description="The same idempotency key came with another request before.")
class IdempotencyKeyReusedRefusal(Refusal):
    refuses = (IdempotencyKeyReused,)


@strawberry.type(description="What is wrong with one argument or setting.")
class FieldProblem:
    field: str = strawberry.field(description="Its name, like `name` or `settings.base_url`.")
    message: str = strawberry.field(description="What is wrong with it, in one sentence.")


@strawberry.type(name="InvalidInput", description="Something that was given cannot be used.")
class InvalidInputRefusal(Refusal):
    refuses = (InvalidInput,)

    fields: list[FieldProblem] = strawberry.field(description="What is wrong, field by field.")

    @classmethod
    def of(cls, error: InvalidInput) -> Self:
        return cls(**common(error), fields=[FieldProblem(field=name, message=text) for name, text in error.fields.items()])


GENERAL = PermissionDeniedRefusal | NotFoundRefusal | InvalidInputRefusal | IdempotencyKeyReusedRefusal | RequestRefused
"""What any mutation may answer."""


def answers(resolver: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Turns the errors that the hub raises on purpose into members of the resolver's union."""
    members = _members(resolver.__annotations__["return"])
    told = {error: member for member in members for error in getattr(member, "refuses", ())}

    @functools.wraps(resolver)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return await resolver(*args, **kwargs)
        except HubError as error:
            return refusal_of(error, told)

    return answer


def refusal_of(error: HubError, told: Mapping[type[HubError], type[Refusal]]) -> Refusal:
    """The most particular type that tells of this error."""
    kind = next((told[ancestor] for ancestor in type(error).__mro__ if ancestor in told), RequestRefused)
    return kind.of(error)


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
