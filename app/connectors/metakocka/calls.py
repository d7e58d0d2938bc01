"""The calls, by the family of paths that each belongs to: another family answers with a page. All are POST, reads too.

https://github.com/metakocka/metakocka_api_base/tree/master/docs
"""

from typing import Any, TypeVar

import msgspec

from app.connectors.base import Session
from app.connectors.errors import UnexpectedResponse
from app.connectors.metakocka.replies import INVALID, Refused
from app.connectors.metakocka.values import Values

MAIN, JSON_FAMILY = "/rest/eshop/v1/", "/rest/eshop/v1/json/"
_FAMILIES = {name: JSON_FAMILY for name in ("product_list", "warehouse_list", "warehouse_stock")}
T = TypeVar("T")


def path_of(call: str) -> str:
    return _FAMILIES.get(call, MAIN) + call


async def read(session: Session, call: str, body: Values, shape: type[T]) -> T:
    """Ask. Raises Refused, ConnectorError."""
    response = await session.client.read_by_post(path_of(call), body)
    return decode(response.content, shape)


async def read_any(session: Session, call: str, body: Values, shape: type[T]) -> T | None:
    """Ask for what may not be there: nothing found is code 2, not a failure. Raises ConnectorError."""
    try:
        return await read(session, call, body, shape)
    except Refused as error:
        if error.opr_code != INVALID:
            raise
        return None


async def write(session: Session, call: str, body: Values) -> Values:
    """Change. Never sent again unasked: no call of Metakocka's is idempotent. Raises Refused, OutcomeUnknown, ConnectorError."""
    response = await session.client.post(path_of(call), body)
    reply: Values = decode(response.content, dict[str, Any])
    return reply


def decode(content: bytes, shape: type[T]) -> T:
    """Raises UnexpectedResponse."""
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.DecodeError, RecursionError):
        raise UnexpectedResponse("Metakocka's answer has another shape than its documentation says.") from None
