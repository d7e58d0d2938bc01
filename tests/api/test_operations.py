"""Every named operation is executed, and causes no more statements than it should."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from app.actors import Actor
from app.api.ids import parse
from app.bootstrap import Hub
from app.connectors.base import FieldRow
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.paging import PageRequest
from tests.api.client import GraphQLClient, Statements, gid
from tests.api.operations import NAMES, run, text
from tests.api.streams import events
from tests.factories import finish, key
from tests.quotes.world import World, invite, make_world
from tests.security.two_way import add_conflict, add_failed, add_quarantine

SUBSCRIPTIONS = ("connection_changed", "quote_changed", "records_changed", "sync_run_progress")

# Statements of one execution, the caller's token (1) included: what is compiled takes one more, whatever it asks for.
READS = {
    "api_tokens": 2,
    "audit_entries": 2,
    "clients": 2,
    "conflict": 2,
    "conflicts": 2,
    "connection": 2,
    "connection_statistics": 3,
    "connections": 2,
    "connectors": 1,
    "contact": 2,
    "contact_history": 4,
    "contact_merges": 5,
    "contacts": 2,
    "deliveries": 2,
    "duplicates": 5,
    "failed_record": 4,
    "failed_record_causes": 3,
    "failed_record_payload": 2,
    "failed_records": 5,
    "field_mapping": 3,
    "field_mapping_back_test": 7,
    "field_mapping_changes": 4,
    "field_mapping_preview": 5,
    "field_mapping_versions": 3,
    "inventory_levels": 2,
    "jobs_of_contact": 2,
    "live_cursor": 2,
    "mappings": 2,
    "merge_preview": 9,
    "node": 2,
    "nodes": 2,
    "organization": 2,
    "orphan_counts": 3,
    "orphaned_mappings": 4,
    "plan": 2,
    "plan_items": 2,
    "plans": 2,
    "products": 2,
    "provider_calls": 2,
    "quarantine": 2,
    "quarantined_deletions": 4,
    "quarantines": 2,
    "quote": 2,
    "quote_totals": 2,
    "quotes": 2,
    "quotes_of_contact": 2,
    "reconciliations": 2,
    "sales_document": 2,
    "sales_documents": 2,
    "schedule_preview": 1,
    "stream_policy": 3,
    "sync_run": 2,
    "sync_runs": 2,
    "sync_status": 6,
    "syncs": 2,
    "unmapped_fields": 5,
    "unsynced_objects": 4,
    "unsynced_records": 4,
    "viewer": 1,
}
# A change also locks, remembers its key, writes its audit entry and its events, and reads back what it answers with; these
# have some room, for they change with the features.
CHANGES = {
    "always_resolve": 50,
    "apply_plan": 30,
    "approve_quote": 30,
    "cancel_sync_run": 30,
    "clean_orphans": 15,
    "create_api_token": 15,
    "create_connection": 20,
    "create_contact": 15,
    "create_sales_document": 15,
    "create_sync": 20,
    "delete_connection": 25,
    "delete_contact": 25,
    "delete_sales_document": 25,
    "delete_sync": 20,
    "dismiss_plan": 20,
    "dismiss_failed_records": 20,
    "dismiss_quarantine": 20,
    "edit_failed_record": 45,
    "import_record": 45,
    "import_records": 70,
    "invite_client_contact": 40,
    "merge_contacts": 45,
    "plan_sync": 20,
    "publish_field_mapping": 25,
    "push_record": 25,
    "push_records": 30,
    "reject_quote": 30,
    "reopen_conflicts": 35,
    "release_quarantine": 20,
    "reopen_failed_record": 20,
    "resolve_conflict": 30,
    "resolve_conflicts": 35,
    "restore_connection": 15,
    "restore_orphans": 15,
    "restore_record": 25,
    "retry_delivery": 20,
    "retry_failed_records": 25,
    "revoke_api_token": 15,
    "roll_back_field_mapping": 25,
    "save_field_mapping": 25,
    "select_plan_items": 20,
    "start_sync": 20,
    "test_connection": 30,
    "test_connection_settings": 25,
    "unmerge_contact": 45,
    "undo_sync_run": 20,
    "update_connection": 25,
    "update_contact": 25,
    "update_sales_document": 25,
    "update_stream_policy": 20,
    "update_sync": 20,
}


_ROWS = [{"target": "name", "path": "name", "required": True}]
_TWO_WAY = (
    "always_resolve",
    "clean_orphans",
    "create_contact",
    "create_sales_document",
    "delete_contact",
    "delete_sales_document",
    "import_record",
    "import_records",
    "merge_contacts",
    "publish_field_mapping",
    "push_record",
    "push_records",
    "reopen_conflicts",
    "resolve_conflict",
    "resolve_conflicts",
    "restore_orphans",
    "restore_record",
    "roll_back_field_mapping",
    "save_field_mapping",
    "unmerge_contact",
    "update_contact",
    "update_sales_document",
    "update_stream_policy",
)


@dataclass
class Scene:
    """An organization in which each operation has something to work on."""

    hub: Hub
    world: World
    owner: Actor
    sandbox: RunningSandbox

    async def variables(self, name: str) -> dict[str, Any]:
        connection, quote = gid("Connection", self.world.connection.id), gid("Quote", self.world.quote_id)
        runs = await self.hub.syncs.runs(self.owner, PageRequest())
        run_id = gid("SyncRun", runs.items[0].id)
        contacts = await self.hub.records.contacts(self.owner, PageRequest())
        contact = gid("Contact", contacts.items[0].id)
        quote_now = await self.world.quote()
        lines = [gid("QuoteLine", line.id) for line in quote_now.lines]
        of_stream = {"connectionId": connection, "stream": "companies"}
        known = {
            "provider_calls": {"connectionId": connection},
            "connection": {"id": connection},
            "contact": {"id": contact},
            "jobs_of_contact": {"contactId": contact},
            "node": {"id": quote},
            "nodes": {"ids": [quote, connection, run_id]},
            "quote": {"id": quote},
            "quote_totals": {"quoteId": quote, "lineIds": lines},
            "quotes_of_contact": {"contactExternalId": self.world.company},
            "contact_merges": {"contactId": contact},
            "merge_preview": dict(zip(("survivorId", "loserId"), await self._twins(name == "merge_preview"), strict=True)),
            "contact_history": {"id": contact, "time": "2099-01-01T00:00:00Z"},
            "field_mapping": of_stream,
            "field_mapping_back_test": of_stream | {"rows": _ROWS},
            "unmapped_fields": of_stream,
            "field_mapping_changes": of_stream | {"before": 0, "after": 0},
            "field_mapping_preview": of_stream | {"rows": _ROWS},
            "field_mapping_versions": of_stream,
            "unsynced_objects": of_stream,
            "unsynced_records": of_stream,
            "failed_record": {"id": await self._a_failed() if name == "failed_record" else ""},
            "failed_record_payload": {"id": await self._a_failed() if name == "failed_record_payload" else ""},
            "quarantine": {"id": await self._a_quarantine() if name == "quarantine" else ""},
            "quarantined_deletions": {"quarantineId": await self._a_quarantine() if name == "quarantined_deletions" else ""},
            "conflict": {"id": await self._a_conflict() if name == "conflict" else ""},
            "sales_document": {"id": await self._a_document() if name == "sales_document" else ""},
            "connection_statistics": {"connectionId": connection},
            "reconciliations": of_stream,
            "schedule_preview": {"schedule": "30 2 * * *", "timeZone": "Europe/Ljubljana"},
            "plan": {"id": await self._a_plan() if name == "plan" else ""},
            "plan_items": {"planId": await self._a_plan() if name == "plan_items" else ""},
            "stream_policy": of_stream,
            "sync_run": {"id": run_id},
            "undo_sync_run": {"id": run_id},
            "sync_status": {"connectionId": connection},
            "syncs": {"connectionId": connection},
        }
        return known.get(name) or await self._change(name, connection, quote, contact, quote_now.version)

    async def _change(self, name: str, connection: str, quote: str, contact: str, version: int) -> dict[str, Any]:
        secret = {"api_key": self.sandbox.api_key}
        settings = {"provider": "servicem8", "mode": "SANDBOX", "settings": {"base_url": self.sandbox.url}, "credentials": secret}
        decision = {"quoteId": quote, "version": version}
        values: dict[str, dict[str, Any]] = {
            "approve_quote": decision | {"signatureName": "Olive Owner", "acceptTerms": True},
            "create_api_token": {"name": "Front end", "role": "VIEWER"},
            "create_connection": settings | {"name": f"Another {key()}"},
            "create_sync": {"connectionId": connection, "name": "Nightly", "streams": ["companies"], "schedule": "0 2 * * *"},
            "delete_connection": {"id": connection, "cancelRunning": True},
            "invite_client_contact": {"contactId": contact, "email": f"{key()}@client.test", "name": "Nina New"},
            "plan_sync": {"connectionId": connection},
            "reject_quote": decision | {"reason": "Too expensive"},
            "restore_connection": {"id": connection},
            "retry_failed_records": {"connectionId": connection},
            "select_plan_items": {
                "id": await self._a_plan() if name == "select_plan_items" else "",
                "selected": False,
                "kinds": ["DELETE"],
            },
            "start_sync": {"connectionId": connection},
            "test_connection": {"id": connection},
            "test_connection_settings": settings,
            "update_connection": {"id": connection, "name": f"Renamed {key()}"},
        }
        if name.endswith(("_failed_record", "dismiss_failed_records")):
            return await self._of_failed(name)
        if name in _TWO_WAY:
            return await self._two_way(name, connection)
        made = {"cancel_sync_run": self._a_run, "delete_sync": self._a_sync, "update_sync": self._a_sync}
        made |= {"apply_plan": self._a_plan, "dismiss_plan": self._a_plan}
        made |= {"dismiss_quarantine": self._a_quarantine, "release_quarantine": self._a_quarantine}
        made |= {"revoke_api_token": self._a_token, "retry_delivery": self._a_delivery}
        return values[name] if name in values else {"id": await made[name]()} if name in made else {}

    async def _two_way(self, name: str, connection: str) -> dict[str, Any]:
        """What is written back: each on a record, conflict or connection of its own."""
        record, conflict = await self._a_contact(), await self._a_conflict()
        document, writable = await self._a_document(), await self._a_writable_connection()
        of_stream = {"connectionId": connection, "stream": "companies"}
        values: dict[str, dict[str, Any]] = {
            "always_resolve": {"id": conflict, "rule": "PROVIDER_WINS"},
            "create_contact": {"input": {"name": "Nina New", "people": [{"name": "Petra"}]}},
            "create_sales_document": {"input": {"kind": "ORDER", "lines": [{"quantity": "1", "unitPrice": "90"}]}},
            "delete_contact": {"id": record, "version": 2},
            "delete_sales_document": {"id": document, "version": 1},
            "merge_contacts": dict(zip(("survivorId", "loserId"), await self._twins(), strict=True)),
            "unmerge_contact": {"loserId": await self._a_merged_contact() if name == "unmerge_contact" else ""},
            "import_record": of_stream | {"externalId": self.world.company},
            "import_records": of_stream | {"externalIds": [self.world.company, "nobody"]},
            "publish_field_mapping": of_stream | {"version": await self._a_field_mapping() if name == "publish_field_mapping" else 0},
            "roll_back_field_mapping": of_stream | {"version": 0},
            "save_field_mapping": of_stream | {"rows": _ROWS},
            "push_record": {"recordId": record, "connectionId": writable},
            "push_records": {"recordIds": [record, document], "connectionId": writable, "stream": "partners"},
            "reopen_conflicts": {"ids": [await self._decided(conflict) if name == "reopen_conflicts" else conflict]},
            "resolve_conflict": {"id": conflict, "resolution": "VALUE", "value": "https://another.test"},
            "resolve_conflicts": {"ids": [conflict], "resolution": "THEIRS"},
            "clean_orphans": {"connectionId": connection, "kind": "MERGED"},
            "restore_orphans": {"kind": "RECORD_DELETED"},
            "restore_record": {"id": record, "version": 2, "toVersion": 1},
            "update_contact": {"id": record, "version": 2, "changes": {"notes": "Rings twice"}},
            "update_sales_document": {"id": document, "version": 1, "changes": {"title": "Roof"}},
            "update_stream_policy": of_stream | {"version": 0, "conflicts": "HUB_WINS"},
        }
        return values[name]

    async def _of_failed(self, name: str) -> dict[str, Any]:
        failed = await self._a_failed()
        values: dict[str, dict[str, Any]] = {
            "dismiss_failed_records": {"ids": [failed], "reason": "A test company"},
            "edit_failed_record": {"id": failed, "payload": '{"name": ""}'},
            "reopen_failed_record": {"id": failed},
        }
        return values[name]

    async def _a_failed(self) -> str:
        return gid("FailedRecord", await add_failed(self.owner.scope, self.world.connection.id))

    async def _a_quarantine(self) -> str:
        run = (await self.hub.syncs.runs(self.owner, PageRequest(1))).items[0]
        return gid("Quarantine", await add_quarantine(self.owner.scope, self.world.connection.id, run.id, self.world.company))

    async def _a_contact(self) -> str:
        """At its second version."""
        made = await self.hub.edits.create(self.owner, "contact", {"name": "Somebody"})
        await self.hub.edits.update(self.owner, made.id, version=1, changes={"name": "Somebody else"})
        return gid("Contact", made.id)

    async def _twins(self, made: bool = True) -> tuple[str, str]:
        """Two contacts that are one."""
        return (await self._a_contact(), await self._a_contact()) if made else ("", "")

    async def _a_merged_contact(self) -> str:
        stays, goes = await self._twins()
        await self.hub.merges.merge(self.owner, parse(stays)[1], parse(goes)[1], {})
        return goes

    async def _a_document(self) -> str:
        return gid("SalesDocument", (await self.hub.edits.create(self.owner, "sales_document", {"kind": "offer"})).id)

    async def _a_field_mapping(self) -> int:
        rows = [FieldRow("name", "name", required=True)]
        return (await self.hub.field_mappings.save(self.owner, self.world.connection.id, "companies", rows)).version

    async def _a_conflict(self) -> str:
        [contact] = (await self.hub.records.contacts(self.owner, PageRequest(1), connection_id=self.world.connection.id)).items
        made = await add_conflict(self.owner.scope, self.world.connection.id, contact.id, self.world.company, "website")
        return gid("Conflict", made)

    async def _decided(self, conflict: str) -> str:
        await self.hub.conflicts.resolve(self.owner, parse(conflict)[1], resolution="ours")
        return conflict

    async def _a_writable_connection(self) -> str:
        """Nobody ever reaches it: what is written waits for a worker."""
        made = await self.hub.connections.create(
            self.owner,
            provider="metakocka",
            name=f"Metakocka {key()}",
            mode="sandbox",
            settings={"company_id": "16", "base_url": self.sandbox.url},
            credentials={"secret_key": "a secret of nothing"},
        )
        return gid("Connection", made.id)

    async def _a_run(self) -> str:
        return gid("SyncRun", (await self.hub.syncs.start(self.owner, self.world.connection.id)).id)

    async def _a_plan(self) -> str:
        """One that is made."""
        plan = await self.hub.plans.plan(self.owner, self.world.connection.id)
        await finish(self.hub, self.owner, await self.hub.syncs.run(self.owner, plan.run_id))
        return gid("Plan", plan.id)

    async def _a_sync(self) -> str:
        made = await self.hub.schedules.create(self.owner, self.world.connection.id, name=f"Sync {key()}", streams=["companies"])
        return gid("Sync", made.id)

    async def _a_token(self) -> str:
        token, _ = await self.hub.organizations.create_token(self.owner, name="Old", role="viewer")
        return gid("ApiToken", token.id)

    async def _a_delivery(self) -> str:
        await self.world.approve()
        return gid("Delivery", (await self.world.delivery()).id)


@pytest.fixture
async def scene(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Scene:
    return Scene(hub, await make_world(hub, owner, sandbox), owner, sandbox)


def test_every_file_is_counted_here():
    assert set(NAMES) == set(READS) | set(CHANGES) | set(SUBSCRIPTIONS)
    for name in NAMES:
        assert f" {''.join(part.capitalize() for part in name.split('_'))}" in text(name)


@pytest.mark.parametrize("name", sorted(READS))
async def test_a_reading_operation_answers_with_few_statements(scene: Scene, api: GraphQLClient, statements: Statements, name: str):
    variables = await scene.variables(name)
    await run(api, name, **variables)

    with statements.counted():
        answer = await run(api, name, **variables)

    assert answer is not None
    assert len(statements) <= READS[name], f"{len(statements)} statements:\n" + "\n".join(statements.sent)


@pytest.mark.parametrize("name", sorted(CHANGES))
async def test_a_changing_operation_succeeds_with_few_statements(scene: Scene, api: GraphQLClient, statements: Statements, name: str):
    variables = await scene.variables(name)
    await run(api, "viewer")  # a token's first use is written down
    with statements.counted():
        answer = await run(api, name, **variables, idempotencyKey=key())

    assert answer["__typename"].endswith("Success"), answer
    assert len(statements) <= CHANGES[name], f"{len(statements)} statements:\n" + "\n".join(statements.sent)


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_a_subscription_begins_with_how_things_are(scene: Scene, server: str, token: str, name: str):
    connection = gid("Connection", scene.world.connection.id)
    variables = {
        "connection_changed": {"connectionId": connection},
        "quote_changed": {"quoteId": gid("Quote", scene.world.quote_id)},
        "records_changed": {"connectionId": connection, "after": "0.0"},
        "sync_run_progress": {"runId": await scene._a_run()},
    }[name]

    async with events(server, token, text(name), variables) as stream, asyncio.timeout(10):
        event, data = await anext(stream)

    assert event == "next"
    assert "errors" not in data


async def test_more_items_cause_no_more_statements(hub: Hub, owner: Actor, sandbox: RunningSandbox, api: GraphQLClient):
    """The same lists over one quote, then over several: the number of statements stays."""
    world = await make_world(hub, owner, sandbox)
    names = ("quotes", "sync_runs", "mappings", "clients")
    few = {name: await _count(api, name) for name in names}
    for number in range(4):
        company = (await sandbox.create("company", name=f"Company {number}"))["uuid"]
        job = (await sandbox.create("job", company_uuid=company, status="Quote", job_description=f"Job {number}"))["uuid"]
        await sandbox.add_line(job, name="Labour", quantity="1", price="90")
        await world.sync()
        await invite(hub, world.operator, world.connection, f"Contact {number}", company)

    many = {name: await _count(api, name) for name in names}

    assert many == few
    assert len((await run(api, "quotes"))["nodes"]) == 5
    assert len((await run(api, "clients"))["nodes"]) == 5


async def _count(api: GraphQLClient, name: str) -> int:
    await run(api, name)
    statements = Statements()
    with statements.counted():
        await run(api, name)
    return len(statements)
