"""How each field of the API is called, and what whoever calls it must be allowed. A field without a row fails the tests."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.actors import PERMISSIONS, Role
from app.actors import Permission as P
from app.connectors.base import FieldRow
from tests import factories
from tests.security.two_way import add_conflict, add_plan, add_quarantine
from tests.security.world import Things, World

EXTERNAL = "external"
"""An id at the provider, which is text."""

Ready = Callable[[World, Things], Awaitable[Mapping[str, UUID] | None]]
"""Makes what the call uses up; may name other things to be used instead."""


@dataclass(frozen=True, eq=False)
class Field:
    """One way to call a root field."""

    name: str
    needs: frozenset[P]
    ids: Mapping[str, str] = field(default_factory=dict)
    """Argument → the kind of thing that its id names; `argument.field` for one inside an input object."""
    values: Callable[[World], Mapping[str, Any]] = field(default=lambda world: {})
    """Its other arguments."""
    always: frozenset[str] = frozenset()
    """Ids that are given although they could be left out."""
    ready: Ready | None = None
    looks_into: str | None = None
    """The type that is looked into where the answer could be of any."""
    shows: bool = True
    """Whether its answer holds text of what it is about."""

    @property
    def is_mutation(self) -> bool:
        return self.name.startswith("Mutation.")

    def __str__(self) -> str:
        return f"{self.name}{f':{self.looks_into}' if self.looks_into else ''}"


def _query(name: str, *needs: P, shows: bool = True, looks_into: str | None = None, **ids: str) -> Field:
    return Field(f"Query.{name}", frozenset(needs), ids, shows=shows, looks_into=looks_into)


def _change(name: str, *needs: P, ids: Mapping[str, str] | None = None, **more: Any) -> Field:
    return Field(f"Mutation.{name}", frozenset(needs), ids or {}, **more)


_ROWS = [{"target": "name", "path": "name", "required": True}]


_EVERY_NIGHT = {"schedule": "0 2 * * *", "timeZone": "Europe/Ljubljana"}


def _of_stream(name: str, *needs: P, shows: bool = True, **values: Any) -> Field:
    """Asked of the companies of a connection."""
    given = {"stream": "companies", **values}
    return Field(f"Query.{name}", frozenset(needs), {"connectionId": "Connection"}, lambda world: given, shows=shows)


NODES = {
    "Client": P.READ_CLIENTS,
    "Conflict": P.READ_RECORDS,
    "Connection": P.READ_CONNECTIONS,
    "Contact": P.READ_RECORDS,
    "Delivery": P.READ_QUOTES,
    "InventoryLevel": P.READ_RECORDS,
    "Job": P.READ_RECORDS,
    "Organization": None,
    "Plan": P.READ_SYNCS,
    "Product": P.READ_RECORDS,
    "Quote": P.READ_QUOTES,
    "SalesDocument": P.READ_RECORDS,
    "Sync": P.READ_SYNCS,
    "SyncRun": P.READ_SYNCS,
}
"""What `node` finds, and who may see it."""


def _nodes(name: str, argument: str) -> list[Field]:
    return [_query(name, *([needs] if needs else []), looks_into=kind, **{argument: kind}) for kind, needs in NODES.items()]


QUERIES = [
    _query("viewer", shows=False),  # a name that was made after the marks were planted
    _query("organization"),
    _query("apiTokens", P.MANAGE_PEOPLE),
    *_nodes("node", "id"),
    *_nodes("nodes", "ids"),
    _query("connectors", P.READ_CONNECTIONS, shows=False),  # the same for everybody
    _query("connections", P.READ_CONNECTIONS),
    _query("connection", P.READ_CONNECTIONS, id="Connection"),
    _query("providerCalls", P.READ_CONNECTIONS, connectionId="Connection", syncRunId="SyncRun"),
    _query("syncs", P.READ_SYNCS, connectionId="Connection"),
    _query("syncRuns", P.READ_SYNCS, connectionId="Connection"),
    _query("syncRun", P.READ_SYNCS, id="SyncRun"),
    _query("syncStatus", P.READ_SYNCS, P.READ_CONNECTIONS, connectionId="Connection"),
    _query("plans", P.READ_SYNCS, connectionId="Connection", undoesRunId="SyncRun"),
    _query("plan", P.READ_SYNCS, id="Plan"),
    _query("planItems", P.READ_RECORDS, planId="Plan"),
    _query("failedRecords", P.READ_SYNCS, connectionId="Connection", syncRunId="SyncRun"),
    _query("failedRecord", P.READ_SYNCS, id="FailedRecord"),
    _query("failedRecordPayload", P.READ_SYNCS, id="FailedRecord"),
    _query("failedRecordCauses", P.READ_SYNCS, shows=False, connectionId="Connection"),  # sentences of ours, and counts
    _query("quarantines", P.READ_SYNCS, connectionId="Connection"),
    _query("quarantine", P.READ_SYNCS, id="Quarantine"),
    _query("quarantinedDeletions", P.READ_SYNCS, P.READ_RECORDS, quarantineId="Quarantine"),
    _query("contacts", P.READ_RECORDS, connectionId="Connection"),
    _query("contact", P.READ_RECORDS, id="Contact"),
    _query("jobs", P.READ_RECORDS, contactId="Contact", connectionId="Connection"),
    _query("salesDocuments", P.READ_RECORDS, contactId="Contact", connectionId="Connection"),
    _query("salesDocument", P.READ_RECORDS, id="SalesDocument"),
    _query("products", P.READ_RECORDS, connectionId="Connection"),
    _query("inventoryLevels", P.READ_RECORDS, connectionId="Connection"),
    _query("mappings", P.READ_RECORDS, connectionId="Connection", contactId="Contact", jobId="Job", recordId="Contact"),
    _query("conflicts", P.READ_RECORDS, connectionId="Connection", recordId="Contact"),
    _query("conflict", P.READ_RECORDS, id="Conflict"),
    _query("duplicates", P.READ_RECORDS, connectionId="Connection"),
    _query("mergePreview", P.READ_RECORDS, survivorId="Contact", loserId="SpareContact"),
    _query("contactMerges", P.READ_RECORDS, shows=False, contactId="Contact"),  # one of them has a merge
    _query("orphanedMappings", P.READ_RECORDS, connectionId="Connection"),
    _query("orphanCounts", P.READ_RECORDS, connectionId="Connection", mappingIds="Mapping", shows=False),  # numbers
    _query("connectionStatistics", P.READ_SYNCS, shows=False, connectionId="Connection"),  # sums only
    _of_stream("reconciliations", P.READ_SYNCS),
    Field("Query.schedulePreview", frozenset({P.READ_SYNCS}), values=lambda world: _EVERY_NIGHT, shows=False),  # the same for everybody
    _of_stream("streamPolicy", P.READ_CONNECTIONS),
    _of_stream("fieldMapping", P.READ_CONNECTIONS, shows=False),  # the connector's own rows
    _of_stream("fieldMappingVersions", P.READ_CONNECTIONS, shows=False),  # the newest are those that the matrix saves
    _of_stream("fieldMappingChanges", P.READ_CONNECTIONS, shows=False, before=0, after=0),
    _of_stream("fieldMappingBackTest", P.READ_CONNECTIONS, P.READ_RECORDS, shows=False, rows=_ROWS),
    _of_stream("unmappedFields", P.READ_CONNECTIONS, P.READ_RECORDS, shows=False),
    _of_stream("fieldMappingPreview", P.READ_CONNECTIONS, P.READ_RECORDS, shows=False, rows=_ROWS),
    _of_stream("unsyncedRecords", P.READ_RECORDS, P.READ_CONNECTIONS, shows=False),  # all are synced
    _of_stream("unsyncedObjects", P.READ_RECORDS, P.READ_CONNECTIONS, shows=False),
    _query("quotes", P.READ_QUOTES, contactExternalId=EXTERNAL, connectionId="Connection", clientId="Client"),
    _query("quote", P.READ_QUOTES, id="Quote"),
    _query("quoteTotals", P.READ_QUOTES, quoteId="Quote", lineIds="QuoteLine", shows=False),  # sums only
    _query("deliveries", P.READ_QUOTES, connectionId="Connection", quoteId="Quote"),
    _query("clients", P.READ_CLIENTS),
    _query("auditEntries", P.READ_AUDIT, subjectId="Quote"),
    _query("liveCursor", shows=False),  # a number
]


async def _quote_open(world: World, things: Things) -> None:
    await world.reopen_quote(things)


async def _no_run(world: World, things: Things) -> None:
    for kind in ("Connection", "WritableConnection"):
        await world.hub.syncs.cancel_all(world.owner, things.ids[kind])


async def _queued_run(world: World, things: Things) -> Mapping[str, UUID]:
    await _no_run(world, things)
    return {"SyncRun": (await world.hub.syncs.start(world.owner, things.ids["Connection"])).id}


async def _drafted_plan(world: World, things: Things) -> Mapping[str, UUID]:
    await _no_run(world, things)
    plan, item = await add_plan(world.owner.scope, things.ids["Connection"], things.ids["SyncRun"], things.contact_external_id)
    return {"Plan": plan, "PlanItem": item}


async def _new_sync(world: World, things: Things) -> Mapping[str, UUID]:
    sync = await world.hub.schedules.create(world.owner, things.ids["Connection"], name="For a moment", streams=["companies"])
    return {"Sync": sync.id}


async def _new_token(world: World, things: Things) -> Mapping[str, UUID]:
    token, _ = await world.hub.organizations.create_token(world.owner, name="For a moment", role="viewer")
    return {"ApiToken": token.id}


async def _new_connection(world: World, things: Things) -> Mapping[str, UUID]:
    made = await world.hub.connections.create(world.owner, provider="servicem8", **world.new_connection())
    return {"Connection": made.id}


async def _deleted_connection(world: World, things: Things) -> Mapping[str, UUID]:
    made = await _new_connection(world, things)
    await world.hub.connections.delete(world.owner, made["Connection"])
    return made


async def _new_contact(world: World, things: Things) -> Mapping[str, UUID]:
    return {"Contact": (await world.hub.edits.create(world.owner, "contact", {"name": "For a moment"})).id}


async def _two_contacts(world: World, things: Things) -> Mapping[str, UUID]:
    made = [await _new_contact(world, things) for _ in range(2)]
    return {"Contact": made[0]["Contact"], "SpareContact": made[1]["Contact"]}


async def _merged_contact(world: World, things: Things) -> Mapping[str, UUID]:
    """Part of another one since."""
    made = await _two_contacts(world, things)
    await world.hub.merges.merge(world.owner, made["SpareContact"], made["Contact"], {})
    return made


async def _new_document(world: World, things: Things) -> Mapping[str, UUID]:
    return {"SalesDocument": (await world.hub.edits.create(world.owner, "sales_document", {"kind": "order"})).id}


async def _changed_contact(world: World, things: Things) -> Mapping[str, UUID]:
    made = await _new_contact(world, things)
    await world.hub.edits.update(world.owner, made["Contact"], version=1, changes={"name": "For another"})
    return made


async def _new_conflict(world: World, things: Things) -> Mapping[str, UUID]:
    ids = things.ids
    found = await add_conflict(world.owner.scope, ids["Connection"], ids["Contact"], things.contact_external_id, "phone")
    return {"Conflict": found}


async def _decided_conflict(world: World, things: Things) -> Mapping[str, UUID]:
    made = await _new_conflict(world, things)
    await world.hub.conflicts.resolve(world.owner, made["Conflict"], resolution="ours")
    return made


async def _open_failed(world: World, things: Things) -> None:
    await world.reopen_failed(things)


async def _new_quarantine(world: World, things: Things) -> Mapping[str, UUID]:
    ids = things.ids
    return {"Quarantine": await add_quarantine(world.owner.scope, ids["Connection"], ids["SyncRun"], things.contact_external_id)}


async def _first_policy(world: World, things: Things) -> None:
    """As it was made: each change counts its version up."""
    await world.database.admin.execute("UPDATE stream_policy SET version = 1 WHERE connection_id = $1", things.ids["Connection"])


async def _saved_version(world: World, things: Things) -> None:
    rows = [FieldRow("name", "name", required=True)]
    saved = await world.hub.field_mappings.save(world.owner, things.ids["Connection"], "companies", rows)
    world.saved_version = saved.version


def _approval(world: World) -> Mapping[str, Any]:
    return {"version": 1, "signatureName": "Carla Client", "acceptTerms": True}


def _rejection(world: World) -> Mapping[str, Any]:
    return {"version": 1, "reason": "Too expensive"}


def _invitation(world: World) -> Mapping[str, Any]:
    return {"email": f"{factories.key()}@client.test", "name": "Somebody New"}


def _connection(world: World) -> Mapping[str, Any]:
    made = world.new_connection()
    return {"provider": "servicem8", **made, "mode": str(made["mode"]).upper()}


def _token(world: World) -> Mapping[str, Any]:
    return {"name": "Made by the matrix", "role": "VIEWER"}


def _contact_input(world: World) -> Mapping[str, Any]:
    return {"input": {"name": "Made by the matrix", "people": [{"name": "Petra"}]}}


def _document_input(world: World) -> Mapping[str, Any]:
    return {"input": {"kind": "OFFER", "lines": [{"name": "Labour", "quantity": "1", "unitPrice": "90"}]}}


def _rename(world: World) -> Mapping[str, Any]:
    return {"version": 1, "changes": {"notes": "Changed by the matrix"}}


def _one(world: World) -> Mapping[str, Any]:
    return {"version": 1}


_MAY_BE_GIVEN = {role: tuple(PERMISSIONS[role]) for role in (Role.CLIENT_CONTACT, Role.VIEWER)}
"""Nobody lets another do more than they may do themselves."""
_EDIT = (P.MANAGE_RECORDS, P.READ_RECORDS)
_IMPORT = (P.RUN_SYNCS, P.READ_RECORDS, P.READ_CONNECTIONS)
_CONNECT = (P.MANAGE_CONNECTIONS, P.READ_CONNECTIONS)
_APPLY = (P.RUN_SYNCS, P.READ_SYNCS)
_DECIDE_PLAN = (*_APPLY, P.MANAGE_RECORDS)
"""The world's plan takes a run back, which changes records."""
_PLAN_ITEMS = {"id": "Plan", "itemIds": "PlanItem"}
_COMPANIES = {"stream": "companies"}
_PUSH = (P.RUN_SYNCS, P.READ_RECORDS, P.READ_CONNECTIONS, P.READ_QUOTES)
_OF_CONNECTION = {"connectionId": "Connection"}
_ONE_RECORD: dict[str, Any] = {
    "ids": {"connectionId": "WritableConnection", "recordId": "Contact"},
    "values": lambda world: {"streams": ["partners"], "direction": "PUSH"},
    "ready": _no_run,
}
_EDIT_FAILED = (P.RUN_SYNCS, P.MANAGE_RECORDS, P.READ_SYNCS, P.READ_CONNECTIONS)
_HELD = (P.MANAGE_RECORDS, P.READ_SYNCS)
_LINES = {"quoteId": "OpenQuote", "lineIds": "OpenLine", "lineReasons.lineId": "LeftOutLine"}

MUTATIONS = [
    _change("createConnection", P.MANAGE_CONNECTIONS, P.READ_CONNECTIONS, values=_connection),
    _change(
        "updateConnection",
        P.MANAGE_CONNECTIONS,
        P.READ_CONNECTIONS,
        ids={"id": "Connection"},
        values=lambda world: {"name": f"Renamed {secrets.token_hex(4)}"},
    ),
    _change("deleteConnection", P.MANAGE_CONNECTIONS, P.READ_CONNECTIONS, ids={"id": "Connection"}, ready=_new_connection),
    _change("restoreConnection", P.MANAGE_CONNECTIONS, P.READ_CONNECTIONS, ids={"id": "Connection"}, ready=_deleted_connection),
    _change("testConnection", P.MANAGE_CONNECTIONS, P.READ_CONNECTIONS, ids={"id": "Connection"}),
    _change(
        "testConnectionSettings",
        P.MANAGE_CONNECTIONS,
        ids=_OF_CONNECTION,
        values=lambda world: {"provider": "servicem8"},
        always=frozenset(_OF_CONNECTION),
    ),
    _change("startSync", P.RUN_SYNCS, P.READ_SYNCS, P.READ_CONNECTIONS, P.READ_RECORDS, **_ONE_RECORD),
    _change("cancelSyncRun", P.RUN_SYNCS, P.READ_SYNCS, ids={"id": "SyncRun"}, ready=_queued_run),
    _change("planSync", *_APPLY, P.READ_CONNECTIONS, P.READ_RECORDS, **_ONE_RECORD),
    _change("undoSyncRun", *_APPLY, P.MANAGE_RECORDS, ids={"id": "SyncRun"}, ready=_no_run),
    _change("selectPlanItems", *_DECIDE_PLAN, ids=_PLAN_ITEMS, values=lambda world: {"selected": False}, ready=_drafted_plan),
    _change("applyPlan", *_DECIDE_PLAN, ids=_PLAN_ITEMS, ready=_drafted_plan),
    _change("dismissPlan", *_DECIDE_PLAN, ids={"id": "Plan"}, ready=_drafted_plan),
    _change("retryFailedRecords", P.RUN_SYNCS, P.READ_CONNECTIONS, ids={**_OF_CONNECTION, "ids": "FailedRecord", "after": "FailedRecord"}),
    _change("editFailedRecord", *_EDIT_FAILED, ids={"id": "FailedRecord"}, values=lambda world: {"payload": "[]"}, ready=_open_failed),
    _change(
        "dismissFailedRecords", P.RUN_SYNCS, ids={"ids": "FailedRecord"}, values=lambda world: {"reason": "A test"}, ready=_open_failed
    ),
    _change("reopenFailedRecord", P.RUN_SYNCS, P.READ_SYNCS, ids={"id": "FailedRecord"}, ready=_open_failed),
    _change("releaseQuarantine", *_HELD, ids={"id": "Quarantine"}, ready=_new_quarantine),
    _change("dismissQuarantine", *_HELD, ids={"id": "Quarantine"}, ready=_new_quarantine),
    _change(
        "createSync",
        P.MANAGE_CONNECTIONS,
        P.READ_CONNECTIONS,
        P.READ_SYNCS,
        ids=_OF_CONNECTION,
        values=lambda world: {"name": "Made by the matrix", "streams": ["companies"]},
    ),
    _change(
        "updateSync",
        P.MANAGE_CONNECTIONS,
        P.READ_CONNECTIONS,
        P.READ_SYNCS,
        ids={"id": "Sync"},
        values=lambda world: {"name": "Renamed"},
        ready=_new_sync,
    ),
    _change("deleteSync", P.MANAGE_CONNECTIONS, P.READ_SYNCS, ids={"id": "Sync"}, ready=_new_sync),
    _change("createContact", *_EDIT, values=_contact_input),
    _change("updateContact", *_EDIT, ids={"id": "Contact"}, values=_rename, ready=_new_contact),
    _change("deleteContact", *_EDIT, ids={"id": "Contact"}, values=_one, ready=_new_contact),
    _change("createSalesDocument", *_EDIT, values=_document_input),
    _change("updateSalesDocument", *_EDIT, ids={"id": "SalesDocument"}, values=_rename, ready=_new_document),
    _change("deleteSalesDocument", *_EDIT, ids={"id": "SalesDocument"}, values=_one, ready=_new_document),
    _change("restoreRecord", *_EDIT, ids={"id": "Contact"}, values=lambda world: {"version": 2, "toVersion": 1}, ready=_changed_contact),
    _change("mergeContacts", *_EDIT, ids={"survivorId": "Contact", "loserId": "SpareContact"}, ready=_two_contacts),
    _change("unmergeContact", *_EDIT, ids={"loserId": "Contact"}, ready=_merged_contact),
    _change("cleanOrphans", P.MANAGE_RECORDS, ids={"connectionId": "Connection", "mappingIds": "Mapping"}),
    _change("restoreOrphans", P.MANAGE_RECORDS, ids={"connectionId": "Connection", "mappingIds": "Mapping"}),
    _change("pushRecord", *_PUSH, ids={"recordId": "Contact", "connectionId": "WritableConnection"}),
    _change("pushRecords", *_PUSH, ids={"recordIds": "Contact", "connectionId": "WritableConnection"}),
    _change("importRecord", *_IMPORT, ids=_OF_CONNECTION, values=lambda world: _COMPANIES | {"externalId": world.own.contact_external_id}),
    _change(
        "importRecords", *_IMPORT, ids=_OF_CONNECTION, values=lambda world: _COMPANIES | {"externalIds": [world.own.contact_external_id]}
    ),
    _change("saveFieldMapping", *_CONNECT, ids=_OF_CONNECTION, values=lambda world: _COMPANIES | {"rows": _ROWS}),
    _change(
        "publishFieldMapping",
        *_CONNECT,
        ids=_OF_CONNECTION,
        values=lambda world: _COMPANIES | {"version": world.saved_version},
        ready=_saved_version,
    ),
    _change("rollBackFieldMapping", *_CONNECT, ids=_OF_CONNECTION, values=lambda world: _COMPANIES | {"version": 0}),
    _change("resolveConflict", *_EDIT, ids={"id": "Conflict"}, values=lambda world: {"resolution": "OURS"}, ready=_new_conflict),
    _change("resolveConflicts", *_EDIT, ids={"ids": "Conflict"}, values=lambda world: {"resolution": "THEIRS"}, ready=_new_conflict),
    _change("reopenConflicts", *_EDIT, ids={"ids": "Conflict"}, ready=_decided_conflict),
    _change(
        "alwaysResolve",
        *_EDIT,
        P.MANAGE_CONNECTIONS,
        P.READ_CONNECTIONS,
        ids={"id": "Conflict"},
        values=lambda world: {"rule": "HUB_WINS"},
        ready=_new_conflict,
    ),
    _change(
        "updateStreamPolicy",
        P.MANAGE_CONNECTIONS,
        P.READ_CONNECTIONS,
        ids=_OF_CONNECTION,
        values=lambda world: {"stream": "companies", "version": 1, "conflicts": "PROVIDER_WINS"},
        ready=_first_policy,
    ),
    _change("approveQuote", P.DECIDE_QUOTES, P.READ_QUOTES, ids={"quoteId": "OpenQuote"}, values=_approval, ready=_quote_open),
    _change("approveQuote", P.DECIDE_QUOTES, P.READ_QUOTES, ids=_LINES, values=_approval, ready=_quote_open, always=frozenset(_LINES)),
    _change(
        "rejectQuote",
        P.DECIDE_QUOTES,
        P.READ_QUOTES,
        ids={"quoteId": "OpenQuote", "lineReasons.lineId": "OpenLine"},
        values=_rejection,
        ready=_quote_open,
    ),
    _change(
        "inviteClientContact",
        P.MANAGE_CLIENTS,
        P.READ_CLIENTS,
        *_MAY_BE_GIVEN[Role.CLIENT_CONTACT],
        ids={"contactId": "Contact"},
        values=_invitation,
    ),
    _change("createApiToken", P.MANAGE_PEOPLE, *_MAY_BE_GIVEN[Role.VIEWER], values=_token),
    _change("revokeApiToken", P.MANAGE_PEOPLE, ids={"id": "ApiToken"}, ready=_new_token),
    _change("retryDelivery", P.RUN_SYNCS, P.READ_QUOTES, ids={"id": "Delivery"}),
]

SUBSCRIPTIONS = [
    Field("Subscription.syncRunProgress", frozenset({P.READ_SYNCS}), {"runId": "SyncRun"}),
    Field("Subscription.quoteChanged", frozenset({P.READ_QUOTES}), {"quoteId": "Quote"}),
    Field("Subscription.connectionChanged", frozenset({P.READ_CONNECTIONS}), {"connectionId": "Connection"}),
    # It begins with what comes, unless it is told from where.
    Field("Subscription.recordsChanged", frozenset({P.READ_RECORDS}), {"connectionId": "Connection"}, lambda world: {"after": "0.0"}),
]
