"""Who may use two-way sync."""

from typing import Any

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.conftest import make_token
from tests.api.operations import run, text
from tests.api.two_way.steps import new_order
from tests.factories import key
from tests.two_way.office import Office


@pytest.mark.requirement("MKD-16", "MKD-17", "MKD-28")
async def test_strangers_and_other_organizations_change_and_see_nothing(
    hub: Hub, http: httpx.AsyncClient, operator_api: GraphQLClient, office: Office, connection: str
):
    """Every operation of two-way sync by nobody, and with the ids of another organization."""
    mk_id = await office.add("Acme")
    await office.run()
    record = gid("Contact", (await office.record(mk_id)).id)
    order = await new_order(operator_api, office)
    stranger = GraphQLClient(http, await make_token(hub, await factories.make_organization(hub), "owner"))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("push_record", {"recordId": order, "connectionId": connection, "stream": "orders"}),
        ("push_records", {"recordIds": [order], "connectionId": connection, "stream": "orders"}),
        ("update_contact", {"id": record, "version": 1, "changes": {"name": "Taken over"}}),
        ("delete_sales_document", {"id": order, "version": 1}),
        ("update_stream_policy", {"connectionId": connection, "stream": "partners", "version": 0, "conflicts": "HUB_WINS"}),
        ("start_sync", {"connectionId": connection, "direction": "PUSH", "streams": ["partners"]}),
    ]

    for name, variables in asked:
        body = {"query": text(name), "variables": variables | {"idempotencyKey": key()}}
        assert (await http.post("/graphql", json=body)).status_code == 401, name
        assert (await run(stranger, name, **variables, idempotencyKey=key()))["__typename"] == "NotFound", name
    for name, variables in (("sales_document", {"id": order}), ("contact", {"id": record}), ("stream_policy", _policy(connection))):
        assert (await http.post("/graphql", json={"query": text(name), "variables": variables})).status_code == 401, name
        assert await run(stranger, name, **variables) is None, name
    for name in ("sales_documents", "mappings", "conflicts", "products"):
        assert (await run(stranger, name, connectionId=connection))["nodes"] == [], name
    assert (await run(operator_api, "contact", id=record))["name"] == "Acme"
    assert await office.sandbox.effects(object="partner", effect="changed") == []


def _policy(connection: str) -> dict[str, str]:
    return {"connectionId": connection, "stream": "partners"}


async def test_a_viewer_reads_and_changes_nothing(viewer_api: GraphQLClient, hub: Hub, owner: Actor, connection: str):
    record = await hub.edits.create(factories.colleague(owner, Role.OPERATOR), "contact", {"name": "Acme"})
    contact = gid("Contact", record.id)

    changed = await run(viewer_api, "update_contact", id=contact, version=1, changes={"name": "B"}, idempotencyKey=key())
    pushed = await run(viewer_api, "push_record", recordId=contact, connectionId=connection, idempotencyKey=key())

    assert changed["__typename"] == pushed["__typename"] == "PermissionDenied"
    assert (await run(viewer_api, "contact", id=contact))["name"] == "Acme"
