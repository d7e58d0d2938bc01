"""Two-way sync as a program drives it: Metakocka's sandbox is read and written, ServiceM8's is only read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.actors import Actor, Role
from app.api.ids import parse
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import transaction
from app.mappings import repository as mappings
from jobs.worker import work
from tests import factories
from tests.api.client import GraphQLClient, gid
from tests.api.conftest import make_token
from tests.api.operations import run, text
from tests.connectors.metakocka.company import add_offer, add_partner, ask, product_codes
from tests.factories import key
from tests.two_way.office import Office

WAIT = 10
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


@pytest.fixture
async def worker(hub: Hub) -> AsyncIterator[None]:
    """A worker in this process."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(hub, stop))
    yield
    stop.set()
    await working


@pytest.fixture
async def office(hub: Hub, operator: Actor, metakocka: MetakockaSandbox) -> Office:
    return await Office.open(hub, operator, metakocka)


@pytest.fixture
def connection(office: Office) -> str:
    """The id of the connection to Metakocka."""
    return gid("Connection", office.connection.id)


class Company:
    """A company at ServiceM8, known to the hub."""

    def __init__(self, hub: Hub, owner: Actor, sandbox: RunningSandbox, connection: Any, uuids: list[str]) -> None:
        self.hub, self.owner, self.sandbox, self.connection, self.uuids = hub, owner, sandbox, connection, uuids

    async def sync(self, mode: str = "full") -> None:
        await factories.sync(self.hub, self.owner, self.connection, streams=["companies"], mode=mode)

    async def clash(self, api: GraphQLClient) -> list[dict[str, Any]]:
        """Both sides change the websites of all; the open conflicts, newest first."""
        for contact in (await run(api, "contacts"))["nodes"]:
            seen = await run(api, "contact", id=contact["id"])
            await run(
                api,
                "update_contact",
                id=seen["id"],
                version=seen["version"],
                changes={"website": "https://ours.test"},
                idempotencyKey=key(),
            )
        await asyncio.sleep(1.1)  # the provider counts seconds
        for uuid in self.uuids:
            await self.sandbox.edit("company", uuid, website="https://theirs.test")
        await self.sync()
        found: list[dict[str, Any]] = (await run(api, "conflicts"))["nodes"]
        return found


@pytest.fixture
async def companies(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Company:
    await sandbox.reset()
    uuids = [(await sandbox.create("company", name=name, website="https://both.test"))["uuid"] for name in ("Acme", "Bravo", "Čebelar")]
    found = Company(hub, owner, sandbox, await factories.make_connection(hub, owner, sandbox), uuids)
    await found.sync()
    return found


# Records of the hub.


async def test_a_contact_is_made_changed_deleted_and_brought_back(operator_api: GraphQLClient):
    given = {"name": "Žagar", "email": "a@zagar.test", "isSupplier": True, "people": [{"name": "Ana"}], "address": KRANJ}
    made = (await run(operator_api, "create_contact", input=given, idempotencyKey="make"))["contact"]
    repeated = (await run(operator_api, "create_contact", input=given, idempotencyKey="make"))["contact"]
    other = await run(operator_api, "create_contact", input=given | {"name": "Somebody else"}, idempotencyKey="make")
    nobody = await run(operator_api, "create_contact", input={"name": " "}, idempotencyKey=key())

    changes = {"name": "Žagar & Co", "email": None, "notes": "Rings twice"}
    changed = (await run(operator_api, "update_contact", id=made["id"], version=1, changes=changes, idempotencyKey=key()))["contact"]
    late = await run(operator_api, "update_contact", id=made["id"], version=1, changes={"phone": "1"}, idempotencyKey=key())
    gone = (await run(operator_api, "delete_contact", id=made["id"], version=2, idempotencyKey=key()))["contact"]
    back = (await run(operator_api, "restore_record", id=made["id"], version=3, toVersion=1, idempotencyKey="back"))["record"]
    again = (await run(operator_api, "restore_record", id=made["id"], version=3, toVersion=1, idempotencyKey="back"))["record"]

    assert repeated["id"] == made["id"]
    assert (other["__typename"], nobody["fields"][0]["field"]) == ("IdempotencyKeyReused", "name")
    assert (changed["name"], changed["email"], changed["notes"], changed["version"]) == ("Žagar & Co", "", "Rings twice", 2)
    assert late["__typename"] == "RecordChanged"
    assert gone["deletedAt"] is not None
    assert again == back == {"__typename": "Contact", "id": made["id"], "name": "Žagar", "version": 4, "deletedAt": None}


async def test_what_a_record_was_is_told_version_by_version_and_for_a_moment(operator_api: GraphQLClient):
    made = (await run(operator_api, "create_contact", input={"name": "First"}, idempotencyKey=key()))["contact"]
    between = datetime.now(UTC).isoformat()
    await run(operator_api, "update_contact", id=made["id"], version=1, changes={"name": "Second"}, idempotencyKey=key())

    then = await run(operator_api, "contact_history", id=made["id"], time=between)
    now = await run(operator_api, "contact_history", id=made["id"], time=datetime.now(UTC).isoformat())
    before = await run(operator_api, "contact_history", id=made["id"], time="2001-01-01T00:00:00Z")

    assert [(version["version"], version["data"]["name"]) for version in then["versions"]] == [(1, "First")]
    assert then["versions"][0]["replacedBy"] == "A token for operator"
    assert (then["asOf"]["version"], then["asOf"]["data"]["name"]) == (1, "First")
    assert (now["asOf"]["version"], now["asOf"]["data"]["name"]) == (2, "Second")
    assert before["asOf"] is None


async def test_a_sales_document_is_made_changed_and_deleted(operator_api: GraphQLClient):
    line = {"name": "Labour", "quantity": "1.5", "unitPrice": "90.10", "taxRate": "22"}
    given = {"kind": "OFFER", "title": "Roof", "currency": "EUR", "validUntil": "2026-12-31", "lines": [line, line | {"name": "Tiles"}]}
    made = (await run(operator_api, "create_sales_document", input=given, idempotencyKey=key()))["salesDocument"]
    changes = {"title": "A new roof", "lines": [line]}
    changed = await run(operator_api, "update_sales_document", id=made["id"], version=1, changes=changes, idempotencyKey=key())
    listed = (await run(operator_api, "sales_documents", kind="OFFER"))["nodes"]
    orders = (await run(operator_api, "sales_documents", kind="ORDER"))["nodes"]
    as_contact = await run(operator_api, "delete_contact", id=gid("Contact", _plain(made["id"])), version=2, idempotencyKey=key())
    gone = await run(operator_api, "delete_sales_document", id=made["id"], version=2, idempotencyKey=key())

    assert [(each["position"], each["name"], each["unitPrice"]) for each in made["lines"]] == [
        (1, "Labour", "90.10"),
        (2, "Tiles", "90.10"),
    ]
    assert (changed["salesDocument"]["title"], len(changed["salesDocument"]["lines"])) == ("A new roof", 1)
    assert ([document["id"] for document in listed], orders) == ([made["id"]], [])
    assert as_contact["__typename"] == "NotFound"
    assert gone["salesDocument"]["deletedAt"] is not None
    assert (await run(operator_api, "sales_documents"))["nodes"] == []


def _plain(given: str) -> str:
    """The id inside a global id."""
    return str(parse(given)[1])


@pytest.mark.requirement("MKC-38", "MKC-39")
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
    await _link(office, _plain(contact["id"]), partner["mk_id"])

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
        await mappings.add_link(*where, mk_id, UUID(record_id), "a test", base_version=0)


# Pushing.


@pytest.mark.requirement("MKC-36", "MKC-12")
async def test_a_contact_is_pushed_and_the_answer_names_what_it_is_there(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    given = {"name": "Nova stranka", "taxNumber": "SI99999999", "address": KRANJ}
    made = (await run(operator_api, "create_contact", input=given, idempotencyKey=key()))["contact"]
    push = {"recordId": made["id"], "connectionId": connection, "waitSeconds": WAIT, "idempotencyKey": "push"}

    pushed = (await run(operator_api, "push_record", **push))["result"]
    repeated = (await run(operator_api, "push_record", **push))["result"]
    other = await run(operator_api, "push_record", **push | {"recordId": gid("Contact", office.connection.id)})
    deliveries = (await run(operator_api, "deliveries"))["nodes"]

    assert (pushed["delivery"]["status"], pushed["mapping"]["status"]) == ("CONFIRMED", "SYNCED")
    assert pushed["delivery"]["explanation"] == "Metakocka has what the hub has."
    assert (await office.sandbox.partner(pushed["mapping"]["externalId"]))["customer"] == "Nova stranka"
    assert repeated == pushed
    assert other["__typename"] == "NotFound"
    assert [(each["action"], each["stream"], each["record"]["id"], each["quote"]) for each in deliveries] == [
        ("write_record", "partners", made["id"], None)
    ]
    assert len(await office.sandbox.effects(object="partner", effect="created")) == 1


async def _order(api: GraphQLClient, office: Office, **values: Any) -> str:
    """A new order in the hub for a partner at Metakocka; its id."""
    partner = await add_partner(office.sandbox)
    code = (await product_codes(office.sandbox))[0]
    line = {"code": code, "quantity": "2", "unit": "kos", "unitPrice": "19.99", "taxRate": "22"}
    given = {"kind": "ORDER", "contactExternalId": partner["mk_id"], "currency": "EUR", "issuedOn": "2026-03-01", "lines": [line]}
    made = await run(api, "create_sales_document", input=given | values, idempotencyKey=key())
    return str(made["salesDocument"]["id"])


@pytest.mark.requirement("MKD-01", "MKD-06", "MKD-08")
async def test_one_document_is_pushed_and_its_status_read_back(operator_api: GraphQLClient, office: Office, connection: str, worker: None):
    order = await _order(operator_api, office)
    before = await run(operator_api, "sales_document", id=order)

    pushed = await run(
        operator_api,
        "push_record",
        recordId=order,
        connectionId=connection,
        stream="orders",
        waitSeconds=WAIT,
        idempotencyKey=key(),
    )

    mk_id = pushed["result"]["mapping"]["externalId"]
    document = await ask(office.sandbox, "get_document", doc_type="sales_order", doc_id=mk_id)
    [status] = (await run(operator_api, "sales_document", id=order))["mappings"]
    assert before["mappings"] == []
    assert pushed["result"]["delivery"]["status"] == "CONFIRMED"
    assert document["opr_code"] == "0"
    assert (status["externalId"], status["status"], status["lastError"]) == (mk_id, "SYNCED", None)


@pytest.mark.requirement("MKD-02", "MKD-09", "MKC-37")
async def test_a_selection_is_pushed_with_a_result_for_each(operator_api: GraphQLClient, office: Office, connection: str, worker: None):
    orders = [await _order(operator_api, office) for _ in range(3)]
    stranger = (await run(operator_api, "create_contact", input={"name": "No order"}, idempotencyKey=key()))["contact"]["id"]
    nobody = gid("SalesDocument", office.connection.id)
    push = {"recordIds": [*orders, stranger, nobody], "connectionId": connection, "stream": "orders", "waitSeconds": WAIT}

    answer = await run(operator_api, "push_records", **push, idempotencyKey="many")
    repeated = await run(operator_api, "push_records", **push, idempotencyKey="many")
    none = await run(operator_api, "push_records", **push | {"recordIds": [nobody]}, idempotencyKey=key())

    assert (answer["total"], answer["succeeded"], answer["waiting"], answer["failed"]) == (5, 3, 0, 2)
    assert [result["recordId"] for result in answer["results"]] == push["recordIds"]
    assert len({result["mapping"]["externalId"] for result in answer["results"][:3]}) == 3
    assert all(result["delivery"] is None and result["problem"] for result in answer["results"][3:])
    assert repeated == answer
    assert none["__typename"] == "NotFound"
    assert len(await office.sandbox.documents("sales_order")) == 3


@pytest.mark.requirement("MKD-03", "MKD-07", "MKD-29")
async def test_the_statuses_and_last_errors_of_documents_are_read_in_one_request(
    operator_api: GraphQLClient, office: Office, connection: str, worker: None
):
    good, never = await _order(operator_api, office), await _order(operator_api, office)
    refused = await _order(operator_api, office, contactExternalId="999999999")
    pushed = await run(
        operator_api,
        "push_records",
        recordIds=[good, refused],
        connectionId=connection,
        stream="orders",
        waitSeconds=WAIT,
        idempotencyKey=key(),
    )
    await _change(operator_api, good, {"title": "Changed since", "contactExternalId": "999999999"})
    failed = await run(
        operator_api, "push_record", recordId=good, connectionId=connection, stream="orders", waitSeconds=WAIT, idempotencyKey=key()
    )

    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on SalesDocument { mappings { status lastError lastSyncedAt } } } }"
    statuses = [node["mappings"] for node in (await operator_api.execute(query, ids=[good, never, refused]))["nodes"]]

    assert [result["delivery"]["status"] for result in pushed["results"]] == ["CONFIRMED", "FAILED"]
    assert pushed["results"][1]["delivery"]["errorMessage"]
    assert failed["result"]["delivery"]["status"] == "FAILED"
    assert statuses[1:] == [[], []]
    assert statuses[0][0]["status"] == "FAILED"
    assert statuses[0][0]["lastError"]
    assert statuses[0][0]["lastSyncedAt"]


async def _change(api: GraphQLClient, id: str, changes: dict[str, Any]) -> None:
    version = (await run(api, "sales_document", id=id))["version"]
    answer = await run(api, "update_sales_document", id=id, version=version, changes=changes, idempotencyKey=key())
    assert answer["__typename"] == "UpdateSalesDocumentSuccess", answer


@pytest.mark.requirement("MKD-10", "MKC-42")
async def test_everything_is_imported_or_pushed_by_a_run(operator_api: GraphQLClient, office: Office, connection: str):
    for name in ("Acme", "Bravo"):
        await office.add(name)
    imported = await _run(operator_api, office, connection, streams=["partners"], mode="FULL")
    for number in range(3):
        await _order(operator_api, office, title=f"Order {number}")
    policy = {"connectionId": connection, "stream": "orders", "version": 0, "createsMissing": True}
    await run(operator_api, "update_stream_policy", **policy, idempotencyKey=key())

    pushed = await _run(operator_api, office, connection, streams=["orders"], direction="PUSH")
    both = await _run(operator_api, office, connection, streams=["partners", "orders"], direction="TWO_WAY")

    assert imported["counts"] | {"read": 0} == _counts(created=2)
    assert (pushed["direction"], pushed["counts"]) == ("PUSH", _counts(read=3, created=3))
    assert len(await office.sandbox.documents("sales_order")) == 3
    assert sorted((stream["stream"], stream["direction"]) for stream in both["streams"]) == [
        ("orders", "PULL"),
        ("orders", "PUSH"),
        ("partners", "PULL"),
        ("partners", "PUSH"),
    ]


def _counts(**values: int) -> dict[str, int]:
    return dict.fromkeys(("read", "created", "updated", "unchanged", "deleted", "failed"), 0) | values


async def _run(api: GraphQLClient, office: Office, connection: str, *, status: str = "COMPLETED", **values: Any) -> dict[str, Any]:
    """A run to its end."""
    started = await run(api, "start_sync", connectionId=connection, **values, idempotencyKey=key())
    assert started["__typename"] == "StartSyncSuccess", started
    queued = await office.hub.syncs.run(office.operator, parse(started["run"]["id"])[1])
    await factories.ended(office.hub, office.operator, queued)
    found: dict[str, Any] = await run(api, "sync_run", id=started["run"]["id"])
    assert found["status"] == status, found
    return found


async def test_a_standing_sync_has_a_direction(operator_api: GraphQLClient, connection: str):
    values = {"connectionId": connection, "name": "Nightly", "streams": ["partners"]}
    made = (await run(operator_api, "create_sync", **values, direction="TWO_WAY", idempotencyKey=key()))["sync"]
    changed = await run(operator_api, "update_sync", id=made["id"], direction="PUSH", idempotencyKey=key())
    [sync] = await run(operator_api, "syncs", connectionId=connection)

    assert changed["__typename"] == "UpdateSyncSuccess"
    assert sync["direction"] == "PUSH"


# Conflicts, and what decides them.


@pytest.mark.requirement("MKC-05", "MKC-45")
async def test_a_conflict_is_shown_with_its_three_values_and_decided_once(operator_api: GraphQLClient, companies: Company):
    [conflict, *_] = await companies.clash(operator_api)

    decided = await run(
        operator_api, "resolve_conflict", id=conflict["id"], resolution="VALUE", value="https://new.test", idempotencyKey="decide"
    )
    repeated = await run(
        operator_api, "resolve_conflict", id=conflict["id"], resolution="VALUE", value="https://new.test", idempotencyKey="decide"
    )
    late = await run(operator_api, "resolve_conflict", id=conflict["id"], resolution="OURS", idempotencyKey=key())

    assert (conflict["field"], conflict["base"]) == ("website", "https://both.test")
    assert (conflict["ours"], conflict["theirs"]) == ("https://ours.test", "https://theirs.test")
    assert (decided["conflict"]["resolution"], decided["conflict"]["resolvedBy"]) == ("VALUE", "A token for operator")
    assert repeated == decided
    assert late["__typename"] == "ConflictSettled"
    assert (await run(operator_api, "contact", id=conflict["record"]["id"]))["website"] == "https://new.test"
    assert len((await run(operator_api, "conflicts"))["nodes"]) == 2
    assert len((await run(operator_api, "conflicts", openOnly=False))["nodes"]) == 3
    assert (await run(operator_api, "conflicts", recordId=conflict["record"]["id"]))["nodes"] == []


async def test_many_conflicts_are_decided_alike(operator_api: GraphQLClient, companies: Company):
    one, other, third = await companies.clash(operator_api)
    await run(operator_api, "resolve_conflict", id=third["id"], resolution="OURS", idempotencyKey=key())
    ids = [one["id"], other["id"], third["id"]]

    decided = await run(operator_api, "resolve_conflicts", ids=ids, resolution="THEIRS", idempotencyKey="all")
    repeated = await run(operator_api, "resolve_conflicts", ids=ids, resolution="THEIRS", idempotencyKey="all")

    assert {conflict["id"] for conflict in decided["resolved"]} == {one["id"], other["id"]}
    assert decided["refused"] == [{"id": third["id"], "message": "This conflict is resolved already."}]
    assert repeated == decided
    assert (await run(operator_api, "contact", id=one["record"]["id"]))["website"] == "https://theirs.test"


@pytest.mark.requirement("MKC-52")
async def test_rules_are_made_of_a_conflict_and_set_by_hand(operator_api: GraphQLClient, companies: Company):
    [conflict, *_] = await companies.clash(operator_api)
    connection = gid("Connection", companies.connection.id)
    before = await run(operator_api, "stream_policy", connectionId=connection, stream="companies")

    always = await run(operator_api, "always_resolve", id=conflict["id"], rule="PROVIDER_WINS", idempotencyKey="always")
    repeated = await run(operator_api, "always_resolve", id=conflict["id"], rule="PROVIDER_WINS", idempotencyKey="always")
    policy = {"connectionId": connection, "stream": "companies", "idempotencyKey": "policy"}
    changed = await run(operator_api, "update_stream_policy", **policy, version=1, conflicts="HUB_WINS", hubDeletions="IGNORE")
    again = await run(operator_api, "update_stream_policy", **policy, version=1, conflicts="HUB_WINS", hubDeletions="IGNORE")
    late = await run(operator_api, "update_stream_policy", **policy | {"idempotencyKey": key()}, version=1, conflicts="ASK")

    assert (before["version"], before["conflicts"], before["fieldConflicts"]) == (0, "ASK", [])
    assert always["policy"]["fieldConflicts"] == [{"field": "website", "rule": "PROVIDER_WINS"}]
    assert len(always["resolved"]) == 3
    assert repeated == always
    assert (changed["policy"]["conflicts"], changed["policy"]["hubDeletions"], changed["policy"]["version"]) == ("HUB_WINS", "IGNORE", 2)
    assert changed["policy"]["fieldConflicts"] == always["policy"]["fieldConflicts"]
    assert again == changed
    assert late["__typename"] == "PolicyChanged"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"brakeShare": 1.5}, "brakeShare"),
        ({"brakeMinimum": -1}, "brakeMinimum"),
        ({"fieldConflicts": [{"field": "shoe_size", "rule": "ASK"}]}, "fieldConflicts"),
        ({"conflicts": "NEWEST"}, "conflicts"),
        ({"stream": "shoes"}, "stream"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(operator_api: GraphQLClient, connection: str, given: dict[str, Any], field: str):
    values = {"connectionId": connection, "stream": "partners", "version": 0} | given

    answer = await run(operator_api, "update_stream_policy", **values, idempotencyKey=key())

    assert (answer["__typename"], answer["fields"][0]["field"]) == ("InvalidInput", field)


# Who may.


@pytest.mark.requirement("MKD-16", "MKD-17", "MKD-28")
async def test_strangers_and_other_organizations_change_and_see_nothing(
    hub: Hub, http: httpx.AsyncClient, operator_api: GraphQLClient, office: Office, connection: str
):
    """Every operation of two-way sync by nobody, and with the ids of another organization."""
    mk_id = await office.add("Acme")
    await office.run()
    record = gid("Contact", (await office.record(mk_id)).id)
    order = await _order(operator_api, office)
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


# Importing, and what one side lacks.


@pytest.mark.requirement("MKD-05", "MKD-12", "MKC-40")
async def test_one_object_is_imported_by_its_id(operator_api: GraphQLClient, office: Office, connection: str):
    partner = await add_partner(office.sandbox, "Acme")
    offer = await add_offer(office.sandbox, partner)
    of_partners, of_offers = ({"connectionId": connection, "stream": stream} for stream in ("partners", "offers"))

    contact = await run(operator_api, "import_record", **of_partners, externalId=partner["mk_id"], idempotencyKey="one")
    repeated = await run(operator_api, "import_record", **of_partners, externalId=partner["mk_id"], idempotencyKey="one")
    document = await run(operator_api, "import_record", **of_offers, externalId=offer["mk_id"], idempotencyKey=key())
    missing = await run(operator_api, "import_record", **of_partners, externalId="999999999", idempotencyKey=key())

    assert (contact["result"]["outcome"], contact["result"]["record"]["name"]) == ("CREATED", "Acme")
    assert repeated == contact
    [mapping] = (await run(operator_api, "mappings", externalId=partner["mk_id"]))["nodes"]
    assert mapping["id"] == contact["result"]["mappingId"]
    assert (document["result"]["outcome"], document["result"]["record"]["__typename"]) == ("CREATED", "SalesDocument")
    assert (missing["result"]["outcome"], missing["result"]["record"]) == ("MISSING", None)


@pytest.mark.requirement("MKD-13", "MKC-41")
async def test_listed_objects_are_imported_with_a_result_for_each(operator_api: GraphQLClient, office: Office, connection: str):
    ids = [await office.add(name) for name in ("Acme", "Bravo")]
    of_stream = {"connectionId": connection, "stream": "partners"}

    answer = await run(operator_api, "import_records", **of_stream, externalIds=[*ids, "999999999"], idempotencyKey=key())
    nothing = await run(operator_api, "import_records", **of_stream, externalIds=[], idempotencyKey=key())

    assert (answer["total"], answer["imported"], answer["failed"]) == (3, 2, 1)
    assert [(each["externalId"], each["outcome"]) for each in answer["results"]] == [
        (ids[0], "CREATED"),
        (ids[1], "CREATED"),
        ("999999999", "MISSING"),
    ]
    assert nothing["__typename"] == "InvalidInput"


@pytest.mark.requirement("MKD-04", "MKD-11")
async def test_what_the_other_side_lacks_is_listed(operator_api: GraphQLClient, office: Office, connection: str):
    await add_offer(office.sandbox)
    of_stream = {"connectionId": connection, "stream": "offers"}
    before = await run(operator_api, "unsynced_objects", **of_stream)
    broken = await add_offer(office.sandbox, currency_code="no currency")
    await _run(operator_api, office, connection, streams=["offers"], mode="FULL", status="PARTIALLY_COMPLETED")
    made = (await run(operator_api, "create_sales_document", input={"kind": "OFFER"}, idempotencyKey=key()))["salesDocument"]

    there = await run(operator_api, "unsynced_objects", **of_stream)
    here = await run(operator_api, "unsynced_records", **of_stream, kind="OFFER")

    assert (before["scannedAt"], before["nodes"]) == (None, [])
    assert [(each["externalId"], each["failedRecordId"] is None) for each in there["nodes"]] == [(broken["mk_id"], False)]
    assert [each["id"] for each in here["nodes"]] == [made["id"]]


# How streams are translated.


async def test_a_field_mapping_is_tried_saved_published_and_taken_back(operator_api: GraphQLClient, companies: Company):
    of_stream = {"connectionId": gid("Connection", companies.connection.id), "stream": "companies"}
    default = await run(operator_api, "field_mapping", **of_stream)
    rows = [{name: value for name, value in row.items() if name != "__typename"} for row in default["rows"]]
    rows = [row | {"path": "uuid"} if row["target"] == "website" else row for row in rows]

    [tried, *_] = await run(operator_api, "field_mapping_preview", **of_stream, rows=rows)
    wrong = await run(
        operator_api, "save_field_mapping", **of_stream, rows=[*rows, rows[0] | {"target": "shoe_size"}], idempotencyKey=key()
    )
    saved = await run(operator_api, "save_field_mapping", **of_stream, rows=rows, note="By hand", idempotencyKey="save")
    repeated = await run(operator_api, "save_field_mapping", **of_stream, rows=rows, note="By hand", idempotencyKey="save")
    published = await run(operator_api, "publish_field_mapping", **of_stream, version=1, idempotencyKey=key())
    [change] = await run(operator_api, "field_mapping_changes", **of_stream, before=0, after=1)
    counts = await run(operator_api, "field_mapping", **of_stream)
    back = await run(operator_api, "roll_back_field_mapping", **of_stream, version=0, idempotencyKey=key())
    retired = await run(operator_api, "publish_field_mapping", **of_stream, version=1, idempotencyKey=key())
    [version] = await run(operator_api, "field_mapping_versions", **of_stream)

    assert default["version"] == 0
    assert [(field["field"], field["before"]) for field in tried["changes"]] == [("website", "https://both.test")]
    assert wrong["__typename"] == "InvalidInput"
    assert (saved["fieldMapping"]["version"], saved["fieldMapping"]["publishedAt"]) == (1, None)
    assert repeated == saved
    assert (published["records"], counts["version"]) == (3, 1)
    assert (change["target"], change["differs"], change["after"]["path"]) == ("website", ["path"], "uuid")
    assert back["fieldMapping"]["version"] == 0
    assert retired["__typename"] == "FieldMappingRetired"
    assert (version["note"], version["createdBy"]) == ("By hand", "A token for operator")
