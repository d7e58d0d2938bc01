"""Who gets to the pages on which contacts are merged and missing ones are brought, and what they keep to. Over HTTP, without a browser."""

from uuid import UUID

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.paging import PageRequest
from tests import factories
from tests.portal.test_two_way_doors import connection, http, sign_in, token_in

__all__ = ["connection", "http"]

ALL = PageRequest(100)


class Village:
    """Two contacts that are one at a provider that is only read, and a third that the hub deleted."""

    def __init__(self, hub: Hub, owner: Actor, connection: Connection, ids: dict[str, UUID]) -> None:
        self.hub, self.owner, self.connection, self.ids = hub, owner, connection, ids

    @property
    def pages(self) -> dict[str, str]:
        of_connection, one, other = f"/connections/{self.connection.id}", self.ids["One"], self.ids["Other"]
        return {
            "duplicates": "/contacts/duplicates?by=email",
            "new": "/contacts/new",
            "choice": f"/records/{one}/merge?search=o",
            "merge": f"/records/{one}/merge?other={other}",
            "missing": f"{of_connection}/missing?stream=companies",
            "all": f"{of_connection}/missing/all?stream=companies&way=pull",
            "orphans": f"/orphans?connection={self.connection.id}",
            "cleaning": "/orphans/cleaning",
        }

    @property
    def acts(self) -> list[tuple[str, dict[str, str]]]:
        of_connection, one, other = f"/connections/{self.connection.id}", self.ids["One"], self.ids["Other"]
        versions = {"survivor_version": "1", "loser_version": "1"}
        return [
            ("/contacts/new", {"name": "Somebody"}),
            (f"/records/{one}/merge", {"other": str(other), **versions}),
            (f"/records/{other}/parting", {}),
            (f"{of_connection}/missing/pushes", {"record": str(one), "stream": "companies"}),
            (f"{of_connection}/missing/imports", {"object": "1", "stream": "companies"}),
            (f"{of_connection}/missing/all", {"stream": "companies", "way": "pull"}),
            ("/orphans/cleaning", {"all": "yes", "connection": str(self.connection.id)}),
            ("/orphans/restoration", {"all": "yes", "connection": str(self.connection.id)}),
        ]

    async def assert_untouched(self) -> None:
        assert {one.data["name"] for one in (await self.hub.records.contacts(self.owner, ALL)).items} == {"One", "Other"}
        assert len((await self.hub.orphans.orphans(self.owner, ALL)).items) == 1
        assert len((await self.hub.syncs.runs(self.owner, ALL)).items) == 1


@pytest.fixture
async def village(hub: Hub, owner: Actor, sandbox: RunningSandbox, connection: Connection) -> Village:
    for name in ("One", "Other", "Gone"):
        company = (await sandbox.create("company", name=name))["uuid"]
        if name != "Gone":
            await sandbox.create(
                "companycontact", company_uuid=company, first="Ana", email="ana@both.test", type="BILLING", is_primary_contact="1"
            )
    await factories.sync(hub, owner, connection, streams=["companies"])
    records = {one.data["name"]: one for one in (await hub.records.contacts(owner, ALL)).items}
    await hub.edits.delete(owner, records["Gone"].id, version=1)
    return Village(hub, owner, connection, {name: record.id for name, record in records.items()})


async def test_a_viewer_sees_what_is_missing_and_orphaned_and_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, village: Village
) -> None:
    base = await sign_in(hub, http, owner, Role.VIEWER)

    answers = {name: await http.get(base + path) for name, path in village.pages.items()}
    token = token_in(answers["orphans"].text)
    forced = [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in village.acts]

    statuses = {name: answer.status_code for name, answer in answers.items()}
    hidden = dict.fromkeys(("new", "choice", "merge", "all", "cleaning"), 403)
    assert statuses == {"duplicates": 200, "missing": 200, "orphans": 200, **hidden}
    seen = "".join(answers[name].text for name in ("duplicates", "missing", "orphans"))
    assert "Gone" in answers["orphans"].text
    for word in ("Compare the two", "Bring all there", "Take all over", "Clean up 1", "Put them away"):
        assert word not in seen
    assert {answer.status_code for answer in forced} == {403}
    await village.assert_untouched()


async def test_another_organization_finds_none_of_it(hub: Hub, http: httpx.AsyncClient, village: Village) -> None:
    base = await sign_in(hub, http, await factories.make_organization(hub, "Another"))

    looks = {name: await http.get(base + path) for name, path in village.pages.items()}
    token = token_in(looks["orphans"].text)
    forced = [(path, await http.post(base + path, data={"csrf_token": token, **form})) for path, form in village.acts]

    own = ("duplicates", "new", "orphans", "cleaning")
    assert {answer.status_code for name, answer in looks.items() if name not in own} == {404}
    assert not any(word in looks[name].text for name in own for word in ("Other", "Gone"))
    refused = {path: answer.status_code for path, answer in forced if path != "/contacts/new"}
    assert set(refused.values()) <= {404, 409}
    await village.assert_untouched()


async def test_what_no_page_offered_is_refused_in_a_sentence(hub: Hub, http: httpx.AsyncClient, owner: Actor, village: Village) -> None:
    base = await sign_in(hub, http, owner)
    token = token_in((await http.get(f"{base}/orphans")).text)
    one = village.ids["One"]

    answers = [
        await http.get(f"{base}/orphans?kind=sunken"),
        await http.get(f"{base}/orphans?connection=1"),
        await http.get(f"{base}/contacts/merge?stays=1&goes=2"),
        await http.post(f"{base}/orphans/cleaning", data={"csrf_token": token}),
        await http.post(
            f"{base}/connections/{village.connection.id}/missing/imports", data={"csrf_token": token, "stream": "rivers", "object": "1"}
        ),
    ]
    itself = await http.get(f"{base}/records/{one}/merge?other={one}")
    stream = await http.get(f"{base}/connections/{village.connection.id}/missing?stream=rivers")

    assert [answer.status_code for answer in answers] == [422] * 5
    assert itself.status_code == 409
    assert "A contact cannot be merged into itself." in itself.text
    assert stream.status_code == 404
    await village.assert_untouched()
