"""Who gets to failed records and held deletions, and what the pages keep to. Over HTTP, without a browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.paging import PageRequest
from tests import factories
from tests.portal.test_two_way_doors import sign_in, token_in
from tests.security.two_way import add_quarantine

ALL = PageRequest(100)


@dataclass(frozen=True)
class Trouble:
    """A company that could not be taken over, and one that a scan did not find."""

    connection: UUID
    failed: UUID
    held: UUID

    def pages(self) -> dict[str, str]:
        failed, held = f"/failed-records/{self.failed}", f"/held-deletions/{self.held}"
        return {"failed": failed, "alike": f"/failed-records/list?like={self.failed}", "held": held, "release": f"{held}/release"}

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        """Every form."""
        failed, held, connection = f"/failed-records/{self.failed}", f"/held-deletions/{self.held}", str(self.connection)
        return [
            (f"{failed}/payload", {"payload": '{"name": "Stolen"}'}),
            (f"{failed}/dismissal", {"reason": "Not mine"}),
            (f"{failed}/reopening", {}),
            ("/failed-records/retry", {"connection": connection, "record": str(self.failed)}),
            ("/failed-records/retry", {"connection": connection, "like": str(self.failed)}),
            (f"{held}/release", {}),
            (f"{held}/dismissal", {}),
        ]


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def trouble(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Trouble:
    await sandbox.reset()
    connection = await factories.make_connection(hub, owner, sandbox)
    await sandbox.create("company", name="")
    known = await sandbox.create("company", name="Known")
    run = await factories.sync(hub, owner, connection, streams=["companies"])
    (failed,) = (await hub.failed_records.failed_records(owner, ALL)).items
    return Trouble(connection.id, failed.id, await add_quarantine(owner.scope, connection.id, run.id, known["uuid"]))


async def assert_untouched(hub: Hub, owner: Actor, trouble: Trouble) -> None:
    failed = await hub.failed_records.get(owner, trouble.failed)
    assert (failed.state, failed.attempts, failed.edited_payload) == ("open", 1, None)
    assert (await hub.quarantine.get(owner, trouble.held)).status == "held"


async def test_a_viewer_sees_what_failed_and_what_is_held_and_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, trouble: Trouble
) -> None:
    base = await sign_in(hub, http, owner, Role.VIEWER)

    answers = {name: await http.get(base + path) for name, path in trouble.pages().items()}
    token = token_in(answers["failed"].text)
    forms = [*trouble.acts(), ("/failed-records/dismissals", {"record": str(trouble.failed), "reason": "Not mine"})]
    forced = [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in forms]

    assert {name: answer.status_code for name, answer in answers.items()} == {"failed": 200, "alike": 200, "held": 200, "release": 403}
    for word in ("Save and try again", "Try it again", "Leave it as it is", "Delete them after all", "Keep them"):
        assert word not in answers["failed"].text + answers["alike"].text + answers["held"].text
    assert {answer.status_code for answer in forced} == {403}
    await assert_untouched(hub, owner, trouble)


async def test_another_organization_finds_none_of_it(hub: Hub, http: httpx.AsyncClient, owner: Actor, trouble: Trouble) -> None:
    base = await sign_in(hub, http, await factories.make_organization(hub, "Another"))

    looks = [await http.get(base + path) for path in trouble.pages().values()]
    token = token_in((await http.get(f"{base}/failed-records")).text)
    forced = [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in trouble.acts()]
    many = await http.post(
        f"{base}/failed-records/dismissals", data={"csrf_token": token, "record": str(trouble.failed), "reason": "Not mine"}
    )

    assert {answer.status_code for answer in (*looks, *forced, many)} == {404}
    await assert_untouched(hub, owner, trouble)


async def test_a_form_without_the_sessions_token_changes_nothing(hub: Hub, http: httpx.AsyncClient, owner: Actor, trouble: Trouble) -> None:
    base = await sign_in(hub, http, owner)

    forced = [await http.post(base + path, data=form) for path, form in trouble.acts()]

    assert {answer.status_code for answer in forced} == {403}
    await assert_untouched(hub, owner, trouble)


async def test_a_filter_that_nobody_offered_is_refused(hub: Hub, http: httpx.AsyncClient, owner: Actor, trouble: Trouble) -> None:
    base = await sign_in(hub, http, owner)

    for path in ("/failed-records?direction=sideways", "/failed-records/list?state=lost", "/failed-records/list?like=nobody"):
        assert (await http.get(base + path)).status_code == 422, path


async def test_a_retry_goes_back_only_to_pages_of_this_door(hub: Hub, http: httpx.AsyncClient, owner: Actor, trouble: Trouble) -> None:
    base = await sign_in(hub, http, owner)
    form = {"connection": str(trouble.connection), "csrf_token": token_in((await http.get(f"{base}/failed-records")).text)}

    for given in ("https://evil.test/", "//evil.test", f"{base}/../other"):
        answer = await http.post(f"{base}/failed-records/retry", data={**form, "back": given})
        assert answer.headers["location"].startswith(f"{base}/"), given
    tampered = await http.post(f"{base}/failed-records/retry", data={**form, "healed": "many", "after": "nobody"})
    assert tampered.status_code == 422
