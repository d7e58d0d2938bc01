"""Who gets to the pages of plans, and what they keep to. Over HTTP, without a browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox as MetakockaSandbox
from app.main import create_app
from tests import factories
from tests.portal.test_two_way_doors import sign_in, token_in
from tests.two_way.office import Office
from tests.two_way.planning import planned

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def office(hub: Hub, owner: Actor, metakocka: MetakockaSandbox) -> Office:
    return await Office.open(hub, owner, metakocka)


async def test_a_viewer_sees_a_plan_and_decides_nothing(hub: Hub, http: httpx.AsyncClient, owner: Actor, office: Office) -> None:
    await office.add("Acme")
    run = await office.run()
    plan = await planned(office)
    base = await sign_in(hub, http, owner, Role.VIEWER)

    pages = {path: await http.get(base + path) for path in ("/plans", f"/plans/{plan.id}", f"/runs/{run.id}", f"/runs/{plan.run_id}")}
    token = token_in(pages["/plans"].text)
    forced = [
        await http.post(base + path, data={"csrf_token": token, "kind_was": "create", **form}) for path, form in _acts(office, plan, run)
    ]

    assert {page.status_code for page in pages.values()} == {200}
    for word in ("Apply all", "Dismiss the plan", "Undo this run", 'type="checkbox"'):
        assert all(word not in page.text for page in pages.values()), word
    assert {answer.status_code for answer in forced} == {403}


async def test_another_organization_sees_and_decides_nothing(hub: Hub, http: httpx.AsyncClient, office: Office) -> None:
    await office.add("Acme")
    run = await office.run()
    plan = await planned(office)
    base = await sign_in(hub, http, await factories.make_organization(hub))

    listed = await http.get(f"{base}/plans")
    token = token_in(listed.text)
    answers = [await http.get(f"{base}/plans/{plan.id}"), await http.get(f"{base}/plans/{plan.id}/events")]
    answers += [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in _acts(office, plan, run)]

    assert str(plan.id) not in listed.text
    assert {answer.status_code for answer in answers} == {404}


async def test_names_from_providers_are_shown_as_text_and_pages_keep_to_the_strict_policy(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, office: Office
) -> None:
    mk_id = await office.add(HOSTILE)
    await office.run()
    await office.sandbox.edit_partner(mk_id, customer=f"{HOSTILE} again")
    plan = await planned(office)
    base = await sign_in(hub, http, owner)

    for path in (f"/plans/{plan.id}", "/plans", f"/runs/{plan.run_id}", f"/connections/{office.connection.id}/import?plan=1"):
        page = await http.get(base + path)
        assert page.status_code == 200, path
        assert HOSTILE not in page.text, path
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", page.text.replace("onerror=alert(1)", "")), path


@pytest.mark.parametrize("query", ["kind=x", "after=x"])
async def test_an_address_that_was_made_up_is_refused_in_words(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, office: Office, query: str
) -> None:
    plan = await planned(office)
    base = await sign_in(hub, http, owner)

    answer = await http.get(f"{base}/plans/{plan.id}?{query}")

    assert (answer.status_code, "Nothing was changed." in answer.text) == (422, True)


async def test_a_plan_without_anything_selected_is_not_applied(hub: Hub, http: httpx.AsyncClient, owner: Actor, office: Office) -> None:
    await office.add("Acme")
    plan = await planned(office)
    base = await sign_in(hub, http, owner)
    form = {"csrf_token": token_in((await http.get(f"{base}/plans/{plan.id}")).text), "kind_listed": "create", "kind_was": "create"}

    answer = await http.post(f"{base}/plans/{plan.id}/application", data=form, follow_redirects=True)

    assert "Nothing is selected, so nothing was done" in answer.text
    assert (await office.hub.plans.get(owner, plan.id)).status == "drafted"


async def test_a_plan_that_could_not_be_made_says_why(hub: Hub, http: httpx.AsyncClient, owner: Actor, office: Office) -> None:
    plan = await hub.plans.plan(owner, office.connection.id, streams=["partners"])
    await hub.syncs.cancel(owner, plan.run_id)
    base = await sign_in(hub, http, owner)

    shown, listed = await http.get(f"{base}/plans/{plan.id}"), await http.get(f"{base}/plans")

    assert "Making it was cancelled." in shown.text
    assert "Make a new plan" in shown.text
    assert "Could not be made" in listed.text


def _acts(office: Office, plan, run) -> list[tuple[str, dict[str, str]]]:
    """Every form."""
    return [
        (f"/plans/{plan.id}/selection", {"kind_listed": "create"}),
        (f"/plans/{plan.id}/application", {}),
        (f"/plans/{plan.id}/dismissal", {}),
        (f"/plans/{plan.id}/renewal", {}),
        (f"/runs/{run.id}/undo", {}),
        (f"/connections/{office.connection.id}/plans", {"stream": "partners"}),
    ]
