"""Plans of documents that are assembled from child objects, over HTTP from ServiceM8's sandbox."""

import pytest

from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import fetch
from app.syncs.models import RunStatus
from tests import factories
from tests.two_way.planning import world


class Side:
    """One organization's connection to the account."""

    def __init__(self, hub: Hub, operator, connection) -> None:
        self.hub, self.operator, self.connection = hub, operator, connection

    @classmethod
    async def open(cls, hub: Hub, sandbox: RunningSandbox) -> "Side":
        operator = await factories.make_organization(hub)
        return cls(hub, operator, await factories.make_connection(hub, operator, sandbox, delay_seconds=0))

    async def run(self, mode: str = "full"):
        return await factories.sync(self.hub, self.operator, self.connection, streams=["companies", "jobs"], mode=mode)

    async def plan_and_apply(self, mode: str):
        plans = self.hub.plans
        plan = await plans.plan(self.operator, self.connection.id, streams=["companies", "jobs"], mode=mode)
        made = await factories.finish(self.hub, self.operator, await self.hub.syncs.run(self.operator, plan.run_id))
        assert made.status is RunStatus.COMPLETED, made.error_message
        return await factories.finish(self.hub, self.operator, await plans.apply(self.operator, plan.id))

    async def everything(self) -> dict[str, list[tuple]]:
        """All but the steps of history: a run writes a job whose lines and sum changed twice, a plan shows and writes it once."""
        found = await world(self)
        del found["record_version"]
        found["record"] = [(*row[:3], row[4]) for row in found["record"]]
        found["mapping"] = [(*row[:3], *row[4:]) for row in found["mapping"]]
        for table, columns in {
            "part": "stream, kind, external_id, parent_id, payload",
            "quote": "external_id, status, version, title, contact_name, total",
            "quote_line": "external_id, description, quantity, unit_price",
        }.items():
            rows = await fetch(
                self.operator.scope, f"SELECT {columns} FROM {table} WHERE organization_id = $1", self.operator.organization_id
            )
            found[table] = sorted((tuple(row.values()) for row in rows), key=repr)
        return found


@pytest.fixture
async def town(hub: Hub, sandbox: RunningSandbox) -> tuple[Side, Side, dict[str, str]]:
    """Two organizations that have read the same account."""
    await sandbox.reset()
    ids = {}
    for name in ("first", "second"):
        ids[name] = (await sandbox.create("company", name=name))["uuid"]
        person = await sandbox.create("companycontact", company_uuid=ids[name], first="Petra", last=name, email=f"{name}@acme.test")
        ids[f"person of {name}"] = person["uuid"]
        job = await sandbox.create("job", company_uuid=ids[name], status="Quote", job_description=f"Job of {name}")
        ids[f"job of {name}"] = job["uuid"]
        ids[f"line of {name}"] = (await sandbox.add_line(job["uuid"], name="Labour", quantity="1", price="100"))["uuid"]
    sides = await Side.open(hub, sandbox), await Side.open(hub, sandbox)
    for side in sides:
        assert (await side.run()).status is RunStatus.COMPLETED
    return *sides, ids


@pytest.mark.parametrize("mode", ["full", "incremental"])
async def test_children_that_are_new_changed_and_moved_are_applied_as_a_run_would(town, sandbox: RunningSandbox, mode: str):
    planned, direct, ids = town
    await sandbox.edit("companycontact", ids["person of first"], company_uuid=ids["second"])
    await sandbox.edit("jobmaterial", ids["line of second"], price="120")
    await sandbox.add_line(ids["job of first"], name="Cable", quantity="10", price="1.5")
    new = (await sandbox.create("company", name="third"))["uuid"]
    await sandbox.create("companycontact", company_uuid=new, first="Ana", last="third", email="ana@acme.test")
    job = await sandbox.create("job", company_uuid=new, status="Quote", job_description="Job of third")
    await sandbox.add_line(job["uuid"], name="Labour", quantity="2", price="90")
    await sandbox.create("job", company_uuid=new, status="Parked", job_description="Nobody knows where this stands")

    run = await planned.plan_and_apply(mode)
    await direct.run(mode)

    assert (run.error_message, run.counts.created, run.counts.failed) == (None, 2, 1)
    assert await planned.everything() == await direct.everything()


async def test_a_first_run_can_be_planned(hub: Hub, town, sandbox: RunningSandbox):
    _, direct, _ = town
    planned = await Side.open(hub, sandbox)

    run = await planned.plan_and_apply("full")

    assert (run.error_message, run.counts.created) == (None, 4)
    assert await planned.everything() == await direct.everything()
