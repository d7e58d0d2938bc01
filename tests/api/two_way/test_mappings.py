"""Records and their counterparts, found either way."""

from uuid import UUID

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import transaction
from app.mappings import links
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import plain
from tests.connectors.metakocka.company import add_offer, add_partner
from tests.two_way.office import Office


@pytest.mark.requirement("MKC-17", "MKC-38", "MKC-39")
async def test_a_mapping_is_found_by_the_contact_and_by_the_providers_id(operator_api: GraphQLClient, office: Office, connection: str):
    mk_id = await office.add("Acme")
    await office.run()
    contact = gid("Contact", (await office.record(mk_id)).id)

    [by_contact] = (await run(operator_api, "mappings", recordId=contact))["nodes"]
    [by_mk_id] = (await run(operator_api, "mappings", connectionId=connection, externalId=mk_id))["nodes"]
    nothing = (await run(operator_api, "mappings", connectionId=connection, externalId="0"))["nodes"]
    [on_it] = (await run(operator_api, "contact", id=contact))["mappings"]

    assert by_contact == by_mk_id
    assert (by_mk_id["record"]["id"], by_mk_id["externalId"], by_mk_id["status"]) == (contact, mk_id, "SYNCED")
    assert (on_it["id"], on_it["connection"]["id"]) == (by_contact["id"], connection)
    assert nothing == []


async def test_a_contact_at_two_connections_has_the_jobs_and_documents_of_both(
    operator_api: GraphQLClient, hub: Hub, operator: Actor, office: Office, sandbox: RunningSandbox
):
    """The same company here and there: its jobs come from ServiceM8, its offers from Metakocka."""
    await sandbox.reset()
    company = (await sandbox.create("company", name="Acme"))["uuid"]
    for title in ("First", "Second"):
        await sandbox.create("job", company_uuid=company, status="Work Order", job_description=title)
    servicem8 = await factories.make_connection(hub, operator, sandbox)
    await factories.sync(hub, operator, servicem8)
    [contact] = (await run(operator_api, "contacts"))["nodes"]
    partner = await add_partner(office.sandbox, "Acme")
    await add_offer(office.sandbox, partner)
    await office.run(streams=("offers",))
    await _link(office, plain(contact["id"]), partner["mk_id"])

    query = """query ($id: ID!) { contact(id: $id) { mappings { externalId }
        jobs(first: 1) { totalCount nodes { title } pageInfo { hasNextPage endCursor } } salesDocuments { totalCount nodes { kind } } } }"""
    found = (await operator_api.execute(query, id=contact["id"]))["contact"]
    following = (await run(operator_api, "jobs_of_contact", contactId=contact["id"], after=found["jobs"]["pageInfo"]["endCursor"]))["nodes"]
    documents = (await run(operator_api, "sales_documents", contactId=contact["id"]))["nodes"]

    assert {mapping["externalId"] for mapping in found["mappings"]} == {company, partner["mk_id"]}
    assert (found["jobs"]["totalCount"], found["jobs"]["pageInfo"]["hasNextPage"]) == (2, True)
    assert sorted([found["jobs"]["nodes"][0]["title"], *(job["title"] for job in following)]) == ["First", "Second"]
    assert found["salesDocuments"] == {"totalCount": 1, "nodes": [{"kind": "OFFER"}]}
    assert [document["kind"] for document in documents] == ["OFFER"]


async def _link(office: Office, record_id: str, mk_id: str) -> None:
    """The contact is this partner at Metakocka."""
    async with transaction(office.operator.scope):
        where = (office.operator.scope, office.connection.id, "partners")
        await links.add_link(*where, mk_id, UUID(record_id), "a test", base_version=0)
