"""Operations that nobody would write, sent as an operator: none may surprise the server.

The suite sends a dozen of each root field; `scripts/campaign api` sets CROSSWALK_EXAMPLES.
"""

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.graphql import nodes

from app.actors import Actor
from app.api.schema import export_sdl
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.paging import PageRequest
from tests.api.client import gid
from tests.api.conftest import make_token
from tests.quotes.world import World, make_world
from tests.security.two_way import add_conflict, add_record

EXAMPLES = int(os.environ.get("CROSSWALK_EXAMPLES", "12"))
SEED = int(os.environ.get("CROSSWALK_SEED", "20261121"))

_TIMES = st.sampled_from(["2026-11-21T09:30:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-21", "never"])
_DAYS = st.sampled_from(["2026-11-21", "0001-01-01", "9999-12-31", "2026-02-30", "2026-11-21T09:30:00Z", ""])
_NUMBERS = st.sampled_from(["1240.50", "-0", "1e30", "1e31", "0." + "1" * 200, "NaN", "Infinity", "one", ""])
_JSON = st.one_of(
    st.just("{}"), st.text(max_size=5), st.sampled_from(["[]", "null", '{"base_url": 7}', '{"api_key": "x"}', '{"timeout_seconds": -1}'])
)


async def _ids(world: World) -> list[str]:
    """Ids of things that are there, and of some that are not."""
    runs = await world.hub.syncs.runs(world.operator, PageRequest())
    contacts = await world.hub.records.contacts(world.operator, PageRequest())
    known = [gid("Connection", world.connection.id), gid("Quote", world.quote_id), gid("SyncRun", runs.items[0].id)]
    known += [gid("Contact", contacts.items[0].id)] + [gid("QuoteLine", line.id) for line in (await world.quote()).lines]
    scope, connection_id = world.operator.scope, world.connection.id
    known.append(gid("Conflict", await add_conflict(scope, connection_id, contacts.items[0].id, world.company, "website")))
    known.append(gid("SalesDocument", await add_record(scope, connection_id, "sales_document", {"kind": "offer"})))
    return [*known, gid("Quote", "no uuid"), gid("Nothing", world.quote_id), gid("", ""), "no id at all", "", "YTo="]


def _attack(url: str, token: str, ids: list[str], only: str = "") -> tuple[int, list[str]]:
    """How many operations were sent, and what went wrong on the server's side; of one root field or of all."""
    schemathesis.graphql.scalar("DateTime", _TIMES.map(nodes.String))
    schemathesis.graphql.scalar("Date", _DAYS.map(nodes.String))
    schemathesis.graphql.scalar("Decimal", _NUMBERS.map(nodes.String))
    schemathesis.graphql.scalar("JSON", _JSON.map(nodes.String))
    schemathesis.graphql.scalar("ID", st.sampled_from(ids).map(nodes.String))
    schema = schemathesis.graphql.from_file(export_sdl())
    schema.config.update(base_url=url)
    sent, failures = 0, []

    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        if response.status_code >= 500 or "INTERNAL_SERVER_ERROR" in response.text:
            failures.append(f"{case.body}\n{response.text}")
        if '"FORBIDDEN"' in response.text:
            return  # some things are for owners; Schemathesis takes every error of a field for the server's
        try:
            case.validate_response(response, checks=[not_a_server_error])
        except FailureGroup as failure:
            failures.append(f"{case.body}\n{failure}")

    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.definition.root_type.name != "SUBSCRIPTION" and only in ("", operation.definition.field_name):
            _examples(operation.as_strategy(), send)
    return sent, failures


def _examples(strategy: Any, send: Any) -> None:
    checks = list(HealthCheck)
    quiet = {"deadline": None, "database": None, "verbosity": Verbosity.quiet, "suppress_health_check": checks, "phases": [Phase.generate]}
    seed(SEED)(settings(max_examples=EXAMPLES, **quiet)(given(strategy)(send)))()


@pytest.mark.timeout(max(120, EXAMPLES * 12))
async def test_no_operation_that_the_schema_allows_surprises_the_server(hub: Hub, owner: Actor, sandbox: RunningSandbox, server: str):
    world = await make_world(hub, owner, sandbox)
    token = await make_token(hub, owner, "operator")

    sent, failures = await asyncio.to_thread(_attack, f"http://{server}/graphql", token, await _ids(world))

    assert failures == []
    assert sent > 300


async def test_a_planted_error_is_found(hub: Hub, owner: Actor, sandbox: RunningSandbox, server: str, monkeypatch: pytest.MonkeyPatch):
    """One field that fails for one kind of argument only, as faults do."""
    world = await make_world(hub, owner, sandbox)
    token = await make_token(hub, owner, "operator")
    list_syncs = hub.schedules.syncs

    async def fail_for_ours(actor: Actor, connection_id: Any) -> Any:
        if connection_id == world.connection.id:
            raise ZeroDivisionError
        return await list_syncs(actor, connection_id)

    monkeypatch.setattr(hub.schedules, "syncs", fail_for_ours)

    _, failures = await asyncio.to_thread(_attack, f"http://{server}/graphql", token, await _ids(world), "syncs")

    assert failures
