"""Writes as the engine asks for them: the document of what is shown, with some of its values changed."""

import copy
import secrets
from collections.abc import Mapping
from typing import Any

from app.connectors.base import Reading, RecordWrite, Session
from app.connectors.errors import OutcomeUnknown
from app.connectors.metakocka.connector import connector
from app.connectors.metakocka.values import Values
from tests.connectors.metakocka.company import ACCOUNT


def shown(stream: str, reading: Reading) -> Values:
    """The assembled document of a reading."""
    return dict(connector.streams[stream].assemble(reading.item.payload, reading.parts, ACCOUNT))


async def read(session: Session, stream: str, external_id: str) -> Reading:
    reading = await connector.streams[stream].read_one(session, external_id)
    assert reading is not None
    return reading


async def update(session: Session, stream: str, external_id: str, **values: Any) -> RecordWrite:
    """A write of these values: a mapping changes some of the nested ones."""
    before = await read(session, stream, external_id)
    document = copy.deepcopy(shown(stream, before))
    for name, value in values.items():
        document[name] = {**document[name], **value} if isinstance(value, Mapping) else value
    return RecordWrite(secrets.token_hex(16), external_id, document, frozenset(values), before)


def create(document: Mapping[str, Any]) -> RecordWrite:
    return RecordWrite(secrets.token_hex(16), None, document, frozenset(document), None)


async def again(session: Session, stream: str, write: RecordWrite) -> Reading:
    """The next attempt of a write whose outcome was not known: the engine reads the object afresh before."""
    before = await read(session, stream, write.external_id) if write.external_id else None
    writer = connector.streams[stream].writer
    assert writer is not None
    return await writer.write(session, RecordWrite(write.key, write.external_id, write.document, write.changed, before, attempted=True))


async def write_until_known(session: Session, stream: str, write: RecordWrite) -> Reading:
    """The write, tried again as the engine does while its outcome is not known."""
    writer = connector.streams[stream].writer
    assert writer is not None
    try:
        return await writer.write(session, write)
    except OutcomeUnknown:
        return await again(session, stream, write)
