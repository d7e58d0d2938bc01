"""Plans over HTTP from Metakocka's sandbox: what a run would do, applied as it is or not at all."""

import asyncpg
import pytest

from app.database import fetch
from app.syncs.models import Counts, RunStatus
from app.syncs.plan_models import PlanOutdated
from tests import factories
from tests.conftest import Servers
from tests.two_way.office import ALL, Office

PLANNING = {"plan", "plan_item", "plan_part", "sync_run", "sync_run_stream", "sync_page", "organization_counter", "audit_entry"}
PLANNING |= {"provider_call", "idempotency_key"}
"""Where the run of a plan leaves something; of events, only its own."""


_OWN = {"event": " AND topic <> 'sync_run'"}


async def _planned(office: Office, *, mode: str = "full", direction: str = "pull"):
    plan = await office.hub.plans.plan(office.operator, office.connection.id, streams=["partners"], mode=mode, direction=direction)
    run = await factories.finish(office.hub, office.operator, await office.hub.syncs.run(office.operator, plan.run_id))
    assert run.status is RunStatus.COMPLETED, run.error_message
    return await office.hub.plans.get(office.operator, plan.id)


async def _applied(office: Office, plan, **chosen):
    run = await office.hub.plans.apply(office.operator, plan.id, **chosen)
    return await factories.finish(office.hub, office.operator, run)


async def _items(office: Office, plan, **wanted):
    return (await office.hub.plans.items(office.operator, plan.id, ALL, **wanted)).items


async def _everything(servers: Servers, office: Office) -> dict[str, list[str]]:
    """Every row of the organization outside of the plan itself."""
    connection = await asyncpg.connect(servers.owner_url)
    try:
        tables = [
            row["table_name"]
            for row in await connection.fetch(
                "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'organization_id'"
            )
        ]
        return {
            table: [
                row[0]
                for row in await connection.fetch(
                    f'SELECT t::text FROM "{table}" AS t WHERE organization_id = $1{_OWN.get(table, "")} ORDER BY 1',
                    office.operator.organization_id,
                )
            ]
            for table in tables
            if table not in PLANNING
        }
    finally:
        await connection.close()


async def _world(office: Office) -> dict[str, list[tuple]]:
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


async def _busy(office: Office) -> dict[str, str]:
    """A day at both sides: something of each kind waits to be pulled."""
    ids = {name: await office.add(name) for name in ("Kept", "Renamed", "Gone", "Both")}
    await office.run()
    await office.edit(await office.record(ids["Both"]), name="Both, ours")
    return ids


async def _changes(office: Office, ids: dict[str, str]) -> None:
    await office.sandbox.edit_partner(ids["Renamed"], customer="Renamed there")
    await office.sandbox.edit_partner(ids["Both"], customer="Both, theirs")
    await office.sandbox.delete_partner(ids["Gone"])
    await office.add("New")


@pytest.fixture
async def second(hub, metakocka) -> Office:
    """Another organization's connection to the same company."""
    return await Office.open(hub, await factories.make_organization(hub), metakocka)


async def test_a_plan_shows_what_a_run_would_do_and_leaves_everything_as_it_is(office: Office, servers: Servers):
    ids = await _busy(office)
    await _changes(office, ids)
    before = await _everything(servers, office)

    plan = await _planned(office)

    assert await _everything(servers, office) == before
    items = {item.key: item for item in await _items(office, plan)}
    assert {item.kind for item in items.values()} == {"create", "update", "delete", "conflict"}
    assert items[ids["Renamed"]].fields["name"] == {"before": "Renamed", "after": "Renamed there"}
    assert items[ids["Both"]].fields["name"] == {"base": "Both", "ours": "Both, ours", "theirs": "Both, theirs"}
    assert (items[ids["Gone"]].kind, plan.unchanged, plan.status) == ("delete", 1, "drafted")


async def test_a_plan_that_is_applied_leaves_what_a_run_leaves(office: Office, second: Office):
    for each in (office, second):
        await each.policy(brake_share=0.5)
    ids = await _busy(office)
    await second.run()
    await second.edit(await second.record(ids["Both"]), name="Both, ours")
    await _changes(office, ids)

    plan = await _planned(office)
    calls = await _calls(office)
    applied = await _applied(office, plan)
    direct = await second.run()

    assert await _calls(office) == calls
    assert (applied.status, applied.counts) == (RunStatus.COMPLETED, Counts(read=4, created=1, updated=1, unchanged=1, deleted=1))
    assert direct.status is RunStatus.COMPLETED
    assert await _world(office) == await _world(second)
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "applied"


async def _calls(office: Office) -> int:
    return len((await office.hub.connections.provider_calls(office.operator, office.connection.id, ALL)).items)


async def test_a_plan_is_refused_whole_when_a_record_of_it_has_moved(office: Office, servers: Servers):
    ids = await _busy(office)
    await _changes(office, ids)
    plan = await _planned(office)
    await office.edit(await office.record(ids["Renamed"]), email="later@acme.test")
    before = await _everything(servers, office)

    with pytest.raises(PlanOutdated) as refused:
        await _applied(office, plan)

    assert [(moved.key, moved.what) for moved in refused.value.moved] == [(ids["Renamed"], "record")]
    assert await _everything(servers, office) == before
    assert (await office.hub.plans.get(office.operator, plan.id)).status == "outdated"
