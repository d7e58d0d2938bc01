"""What a GraphQL error may say. A surprise says nothing but a reference, under which the log has all of it."""

import secrets
import traceback
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.extensions import MaskErrors

from app.api.context import Context
from app.errors import HubError, InvalidInput, NotSignedIn, PermissionDenied

_log = structlog.get_logger("crosswalk.api")

# Names that GraphQL clients and testing tools know.
_CODES: dict[type[HubError], str] = {
    InvalidInput: "BAD_USER_INPUT",
    NotSignedIn: "UNAUTHENTICATED",
    PermissionDenied: "FORBIDDEN",
}


class Masking(MaskErrors):
    """Refusals of a query keep their sentence, mistakes in a document are explained, surprises are masked."""

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        context: Context = self.execution_context.context
        return [presented(error, context) for error in errors]


def presented(error: GraphQLError, context: Context) -> GraphQLError:
    """The error as the caller may see it."""
    original = _origin(error)
    if isinstance(original, StrawberryInputCoercionError):
        return _with(error, error.message, {"code": _CODES[InvalidInput]})
    if original is None:
        return error if context.may_look_inside else without_suggestion(error)
    if isinstance(original, HubError):
        return _with(error, original.message, extensions_of(original))
    reference = log_surprise(original, path=error.path)
    return _with(error, sentence_for(reference), {"code": "INTERNAL_SERVER_ERROR", "reference": reference})


def extensions_of(refusal: HubError) -> dict[str, Any]:
    """The code that clients know, who can fix it, and what the refusal adds: the limit and what was measured."""
    code = next((_CODES[kind] for kind in type(refusal).__mro__ if kind in _CODES), refusal.code.upper())
    return {"code": code, "fixBy": refusal.fix_by.upper(), **getattr(refusal, "details", {})}


def log_surprise(error: BaseException, **details: Any) -> str:
    """Log what nobody expected; returns the reference that a person can quote.

    The traceback goes as text: a renderer that draws local variables would write secrets into the log.
    """
    reference = secrets.token_hex(4)
    _log.error("surprise", reference=reference, exception="".join(traceback.format_exception(error)), **details)
    return reference


def sentence_for(reference: str) -> str:
    return f"Something went wrong on our side (reference {reference})."


def without_suggestion(error: GraphQLError) -> GraphQLError:
    """Without "Did you mean …", which lists the schema to whoever guesses."""
    error.message = error.message.partition(" Did you mean ")[0]
    return error


def _origin(error: GraphQLError) -> BaseException | None:
    """The exception behind an error, or None where the error was meant for the client."""
    original: BaseException | None = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    return original


def _with(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=extensions)
