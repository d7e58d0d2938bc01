"""Global ids: opaque texts that name a thing and its type, so that any of them can be asked for again by `node`."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import relay

from app.api.reads.sources import Filter
from app.errors import InvalidInput


def parse(given: str) -> tuple[str, UUID]:
    """(type, id) inside a global id. Raises InvalidInput for a text that this hub did not make."""
    try:
        inside = relay.GlobalID.from_id(given)
        return inside.type_name, UUID(inside.node_id)
    except ValueError:
        raise InvalidInput(fields={"id": "This is not one of our ids."}) from None


def uuid_of(given: str, type_name: str, *, field: str = "id") -> UUID:
    """The id inside. Raises InvalidInput when it names something else or nothing."""
    try:
        found, value = parse(given)
    except InvalidInput:
        found, value = "", UUID(int=0)
    if found != type_name:
        raise InvalidInput(fields={field: f"This is not the id of a {type_name}."})
    return value


RECORDS = ("Contact", "InventoryLevel", "Job", "Product", "SalesDocument")
"""The types of records."""


def record_uuid(given: str, *, field: str = "recordId") -> UUID:
    """The id of a record of whatever type. Raises InvalidInput when it names something else or nothing."""
    try:
        found, value = parse(given)
    except InvalidInput:
        found, value = "", UUID(int=0)
    if found not in RECORDS:
        raise InvalidInput(fields={field: "This is not the id of a record."})
    return value


def optional_record(given: str | None) -> UUID | None:
    """The same of an argument `recordId` that may be left out."""
    return None if given is None else record_uuid(given)


def id_text(type_name: str, value: UUID | str) -> strawberry.ID:
    """A global id of something that is only shown inside another thing."""
    return strawberry.ID(str(relay.GlobalID(type_name, str(value))))


def optional_uuid(given: str | None, type_name: str) -> UUID | None:
    """The id inside an argument like `connectionId`, which may be left out. Raises InvalidInput as `uuid_of` does."""
    return None if given is None else uuid_of(given, type_name, field=_argument(type_name))


def _argument(type_name: str) -> str:
    return type_name[0].lower() + type_name[1:] + "Id"


IdempotencyKey = Annotated[
    str,
    strawberry.argument(
        description="A text of your own choice, 1 to 200 characters. Asking again with the same key and the same "
        "arguments changes nothing more; the same key with other arguments is refused."
    ),
]
ConnectionId = Annotated[strawberry.ID, strawberry.argument(description="The connection's id.")]
QuoteId = Annotated[strawberry.ID, strawberry.argument(description="The quote's id.")]
OfConnection = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this connection.")]


OfRecord = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this record, of whatever type it is.")]


def same_record(column: str = "record_id") -> Filter:
    """Only rows whose column holds the id of a record that was given in the argument `recordId`."""
    return Filter(f"{{item}}.{column} = {{value}}", "uuid", record_uuid)


def same_id(type_name: str, column: str) -> Filter:
    """Only rows whose column holds the id that was given in an argument like `connectionId`."""
    return Filter(f"{{item}}.{column} = {{value}}", "uuid", lambda given: uuid_of(given, type_name, field=_argument(type_name)))
