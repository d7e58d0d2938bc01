"""What a request asks for, whichever way it came: a body, an address, or a message on a WebSocket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.api.gate.limits import OPERATIONS, Excess, LimitExceeded
from app.errors import Refusal


class BadRequest(Refusal):
    """This is no request that GraphQL over HTTP knows."""

    code = "bad_request"
    status = 400


class WrongMediaType(BadRequest):
    """Send the operation as application/json."""

    status = 415


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation. `query` is its text, unless `document_id` or `extensions` name a text that the hub has."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None

    @property
    def names_a_document(self) -> bool:
        """Whether there is a text, or something that stands for one."""
        return self.query is not None or self.names_elsewhere

    @property
    def names_elsewhere(self) -> bool:
        """Whether it takes a look at what the hub has to know the text, or to keep it."""
        return self.document_id is not None or "persistedQuery" in (self.extensions or {})


def wants_cost(extensions: Mapping[str, Any] | None) -> bool:
    """`{"extensions": {"cost": true}}` asks for the costs in the answer's extensions."""
    return bool(extensions) and extensions.get("cost") is True  # type: ignore[union-attr]  # not None when true


def from_body(content_type: str | None, body: bytes) -> Asked:
    """Raises BadRequest, and LimitExceeded for several operations at once."""
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType
    value = _decoded(body, "The body")
    if isinstance(value, list) and len(value) > OPERATIONS:
        raise LimitExceeded(Excess("batch", OPERATIONS, len(value)))
    return from_object(value)


def from_address(parameters: Mapping[str, str]) -> Asked:
    """From the parameters of a GET. Raises BadRequest."""
    values: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if name in values:
            values[name] = _decoded(values[name].encode(), f"`{name}`") if values[name] else None
    return from_object(values)


def from_object(value: Any) -> Asked:
    """Raises BadRequest."""
    if value is None:
        return Asked()
    if not isinstance(value, dict):
        raise BadRequest("A request must be a JSON object.")
    return Asked(
        _typed(value, "query", str, "a string"),
        _typed(value, "variables", dict, "an object"),
        _typed(value, "operationName", str, "a string"),
        _typed(value, "extensions", dict, "an object"),
        _typed(value, "documentId", str, "a string"),
    )


def _typed(values: dict[str, Any], name: str, kind: type, noun: str) -> Any:
    value = values.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"The request's `{name}` must be {noun} or null.")
    return value


def _decoded(data: bytes, what: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        raise BadRequest(f"{what} cannot be read as JSON.") from None
