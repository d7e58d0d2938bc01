"""Queries on mappings that must stay as cheap in a large organization as in a small one."""

import asyncpg
import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, fetch_value, transaction
from app.ids import new_id
from app.mappings import repository as mappings
from app.mappings.repository import MappingWrite, NewRecord
from app.records import repository as records
from app.records.repository import RecordWrite
from tests.factories import make_connection

RECORDS_READ = """
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'record'
"""


def record(name: str) -> RecordWrite:
    return RecordWrite(new_id(), b'{"name": "%s"}' % name.encode())


def link(written: RecordWrite) -> MappingWrite:
    return MappingWrite(f"x-{written.id}", written.id, "synced", None, b"fingerprint", b"{}")


async def test_an_object_that_has_a_record_already_gets_no_second_one(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> None:
    connection = await make_connection(hub, owner, sandbox)

    async def add(external_id: str) -> None:
        new = NewRecord(new_id(), b'{"name": "Acme"}', new_id(), external_id, None, b"fingerprint", b"{}")
        async with transaction(owner.scope):
            await mappings.add_records(owner.scope, connection.id, "companies", "contact", [new], "a test", None)

    await add("x-1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await add("x-1")
    await add("x-2")

    records_of = "SELECT count(*) FROM record WHERE organization_id = $1"
    assert await fetch_value(owner.scope, records_of, owner.organization_id) == 2
    known = await mappings.known(owner.scope, connection.id, "companies", ["x-1", "x-2"])
    assert [(one.status, one.base_version) for one in known.values()] == [("synced", 1)] * 2


async def test_mappings_look_up_the_versions_of_their_own_records_alone(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> None:
    connection = await make_connection(hub, owner, sandbox)
    scope, many = owner.scope, [record(f"Contact {number}") for number in range(500)]
    changed = many[0]

    async with transaction(scope):
        await records.add_many(scope, "contact", many)
        await records.replace_many(scope, [changed], "somebody")
    async with transaction(scope):
        await execute(scope, "DISCARD PLANS")  # those made while the tests' table was all but empty
        before = await fetch_value(scope, RECORDS_READ)
        await mappings.put_many(scope, connection.id, "companies", [link(changed), link(many[1])], "a test")
        read = await fetch_value(scope, RECORDS_READ) - before
        known = await mappings.known(scope, connection.id, "companies", [f"x-{changed.id}", f"x-{many[1].id}"])

    assert [known[f"x-{one.id}"].base_version for one in (changed, many[1])] == [2, 1]
    assert 2 <= read <= 8, f"{read} records were read for two mappings"
