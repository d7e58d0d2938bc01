"""Attempts to write a record that end in the middle."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from app.connectors.errors import RequestRejected
from app.database import execute, fetch, transaction
from app.errors import LeaseLost
from app.syncs.pushing import RecordPusher
from tests.two_way.office import Office

Step = Callable[..., Awaitable[Any]]


async def interrupted(office: Office, record_id: UUID, monkeypatch: pytest.MonkeyPatch, step: str, *, stream: str = "partners") -> None:
    """An attempt that ends at this step, with its worker."""

    async def ends(*given: Any, **named: Any) -> None:
        raise LeaseLost

    delivery_id = await _attempted(office, record_id, monkeypatch, step, ends, stream)
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE delivery SET lease_expires_at = now() WHERE organization_id = $1 AND id = $2 AND status = 'sending'"
        assert await execute(scope, sql, scope.organization_id, delivery_id) == 1


async def refused(office: Office, record_id: UUID, monkeypatch: pytest.MonkeyPatch, step: str, *, stream: str = "partners") -> None:
    """An attempt that the provider refuses at this step."""

    async def refuses(*given: Any, **named: Any) -> None:
        raise RequestRejected("No such thing.")

    delivery_id = await _attempted(office, record_id, monkeypatch, step, refuses, stream)
    scope = office.operator.scope
    sql = "SELECT status FROM delivery WHERE organization_id = $1 AND id = $2"
    assert [row["status"] for row in await fetch(scope, sql, scope.organization_id, delivery_id)] == ["failed"]


async def _attempted(office: Office, record_id: UUID, monkeypatch: pytest.MonkeyPatch, step: str, instead: Step, stream: str) -> UUID:
    with monkeypatch.context() as patch:
        patch.setattr(RecordPusher, step, instead)
        delivery_id = await office.hub.pushes.queue(office.operator, record_id, office.connection.id, stream=stream)
        await office.hub.pushes.send(office.operator.organization_id, delivery_id)
    return delivery_id
