"""Short ways to make plans, to apply them, and to see all that an organization has."""

from collections.abc import Sequence
from typing import Any

from app.database import execute, fetch, transaction
from app.piccolo_app import APP_CONFIG
from app.syncs.models import RunStatus, SyncRun
from app.syncs.plans.models import Plan, PlanItem
from tests import factories
from tests.two_way.office import ALL, Office

PLANNING = {"plan", "plan_item", "plan_part", "sync_run", "sync_run_stream", "sync_page", "organization_counter", "audit_entry"}
PLANNING |= {"provider_call", "idempotency_key"}
"""Where the run of a plan leaves something; of events, only its own."""


_OWN = {"event": " AND topic <> 'sync_run'"}


async def planned(office: Office, *, mode: str = "full", streams: Sequence[str] = ("partners",), **asked: Any) -> Plan:
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=list(streams), mode=mode, **asked)
    run = await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))
    assert run.status is RunStatus.COMPLETED, run.error_message
    return await office.hub.plans.get(office.operator, plan.id)


async def applied(office: Office, plan: Plan, **chosen: Any) -> SyncRun:
    run = await office.hub.plans.apply(office.operator, plan.id, **chosen)
    return await factories.finish(office.hub, office.operator, run)


async def items(office: Office, plan: Plan, **wanted: Any) -> list[PlanItem]:
    return list((await office.hub.plans.items(office.operator, plan.id, ALL, **wanted)).items)


async def everything(office: Office) -> dict[str, list[str]]:
    """Every row of the organization outside of plans and of their runs."""
    scope, found = office.operator.scope, {}
    for name in sorted({table._meta.tablename for table in APP_CONFIG.table_classes} - PLANNING):
        whose = "id" if name == "organization" else "organization_id"
        sql = f'SELECT t::text AS row FROM "{name}" AS t WHERE {whose} = $1{_OWN.get(name, "")}'
        found[name] = sorted(row["row"] for row in await fetch(scope, sql, scope.organization_id))
    assert found["record"]
    return found


async def world(office: Office) -> dict[str, list[tuple]]:
    """Records, versions and mappings, without the ids and times that the hub gives."""
    organization = office.operator.organization_id
    named = "SELECT (SELECT external_id FROM mapping AS m WHERE m.organization_id = $1 AND m.record_id = {}) AS object"
    queries = {
        "record": f"{named.format('record.id')}, entity, data::text, version, deleted_at IS NOT NULL FROM record",
        "record_version": f"{named.format('record_version.record_id')}, version, data::text, deleted_at IS NOT NULL FROM record_version",
        "mapping": "SELECT external_id, stream, status, base_version, provider_version, fingerprint, payload, last_error FROM mapping",
        "failed_record": "SELECT external_id, stage, message, payload, attempts, resolved_at IS NOT NULL FROM failed_record",
        "conflict": "SELECT external_id, field, base, ours, theirs, resolution FROM conflict",
        "stream_state": "SELECT stream, state FROM stream_state",
    }
    found = {}
    for name, sql in queries.items():
        rows = await fetch(office.operator.scope, f"{sql} WHERE organization_id = $1", organization)
        found[name] = sorted((tuple(row.values()) for row in rows), key=repr)
    return found


async def busy(office: Office) -> dict[str, str]:
    """A day at both sides: something of each kind waits to be pulled."""
    ids = {name: await office.add(name) for name in ("Kept", "Renamed", "Gone", "Both")}
    await office.run()
    await office.edit(await office.record(ids["Both"]), name="Both, ours")
    return ids


async def changes(office: Office, ids: dict[str, str]) -> None:
    await office.sandbox.edit_partner(ids["Renamed"], customer="Renamed there")
    await office.sandbox.edit_partner(ids["Both"], customer="Both, theirs")
    await office.sandbox.delete_partner(ids["Gone"])
    await office.add("New")


async def lease_over(office: Office, run: SyncRun) -> None:
    """Whoever had it in hand is gone."""
    scope = office.operator.scope
    async with transaction(scope):
        sql = "UPDATE sync_run SET lease_expires_at = now() - interval '1 second' WHERE organization_id = $1 AND id = $2"
        await execute(scope, sql, scope.organization_id, run.id)
