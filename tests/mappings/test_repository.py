"""Queries on mappings that must stay as cheap in a large organization as in a small one."""

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch_value, new_id, transaction
from app.mappings import repository as mappings
from app.mappings.repository import MappingWrite
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


async def test_mappings_look_up_the_versions_of_their_own_records_alone(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> None:
    connection = await make_connection(hub, owner, sandbox)
    scope, many = owner.scope, [record(f"Contact {number}") for number in range(500)]
    changed = many[0]

    async with transaction(scope):
        await records.add_many(scope, "contact", None, many)
        await records.replace_many(scope, [changed], "somebody")
    async with transaction(scope):
        before = await fetch_value(scope, RECORDS_READ)
        await mappings.put_many(scope, connection.id, "companies", [link(changed), link(many[1])], "a test")
        read = await fetch_value(scope, RECORDS_READ) - before
        known = await mappings.known(scope, connection.id, "companies", [f"x-{changed.id}", f"x-{many[1].id}"])

    assert [known[f"x-{one.id}"].base_version for one in (changed, many[1])] == [2, 1]
    assert 2 <= read <= 8, f"{read} records were read for two mappings"
