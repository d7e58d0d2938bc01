"""What several tests of two-way sync do through the API."""

import asyncio
from typing import Any

from app.actors import Actor
from app.api.ids import parse
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from tests import factories
from tests.api.client import GraphQLClient
from tests.api.operations import run
from tests.connectors.metakocka.company import add_partner, product_codes
from tests.factories import key
from tests.two_way.office import Office

WAIT = 10
KRANJ = {"street": "Nova 1", "city": "Kranj", "country": "SI"}


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


async def new_order(api: GraphQLClient, office: Office, **values: Any) -> str:
    """A new order in the hub for a partner at Metakocka; its id."""
    partner = await add_partner(office.sandbox)
    code = (await product_codes(office.sandbox))[0]
    line = {"code": code, "quantity": "2", "unit": "kos", "unitPrice": "19.99", "taxRate": "22"}
    given = {"kind": "ORDER", "contactExternalId": partner["mk_id"], "currency": "EUR", "issuedOn": "2026-03-01", "lines": [line]}
    made = await run(api, "create_sales_document", input=given | values, idempotencyKey=key())
    return str(made["salesDocument"]["id"])


async def run_sync(api: GraphQLClient, office: Office, connection: str, *, status: str = "COMPLETED", **values: Any) -> dict[str, Any]:
    """A run to its end."""
    started = await run(api, "start_sync", connectionId=connection, **values, idempotencyKey=key())
    assert started["__typename"] == "StartSyncSuccess", started
    queued = await office.hub.syncs.run(office.operator, parse(started["run"]["id"])[1])
    await factories.ended(office.hub, office.operator, queued)
    found: dict[str, Any] = await run(api, "sync_run", id=started["run"]["id"])
    assert found["status"] == status, found
    return found


def plain(given: str) -> str:
    """The id inside a global id."""
    return str(parse(given)[1])
