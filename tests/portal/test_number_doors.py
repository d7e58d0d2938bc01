"""Who gets to a connection's statistics, comparisons and schedules, and what they keep to. Over HTTP, without a browser."""

import re
from typing import Any

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from tests import factories
from tests.portal.test_two_way_doors import ALL, http, sign_in, token_in

__all__ = ["http"]
PAGES = ("statistics", "statistics?days=7", "statistics?days=x", "reconciliation", "reconciliation/companies", "syncs/new?compare=yes")


@pytest.fixture
async def connection(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Connection:
    """One company was compared."""
    await sandbox.reset()
    await sandbox.create("company", name="<b>Acme</b>")
    made = await factories.make_connection(hub, owner, sandbox)
    await factories.sync(hub, owner, made, streams=["companies"], mode="full")
    return made


async def test_everybody_who_may_see_runs_sees_the_numbers_and_only_who_may_start_runs_compares(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = f"{await sign_in(hub, http, owner, Role.VIEWER)}/connections/{connection.id}"

    pages = {path: await http.get(f"{base}/{path}") for path in PAGES}
    token = token_in(pages["reconciliation"].text)
    compared = await http.post(f"{base}/reconciliation", data={"csrf_token": token})
    forged = await http.post(f"{base}/reconciliation", data={})

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(PAGES, 200)
    assert "Compare now" not in pages["reconciliation"].text
    assert "In step" in pages["reconciliation"].text
    assert (compared.status_code, forged.status_code) == (403, 403)
    assert len((await hub.syncs.runs(owner, ALL)).items) == 1
    for page in pages.values():
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", page.text)


async def test_another_organization_finds_none_of_the_numbers(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = f"{await sign_in(hub, http, await factories.make_organization(hub, 'Another'))}/connections"
    token = token_in((await http.get(f"{base}/new/servicem8")).text)

    answers = [await http.get(f"{base}/{connection.id}/{path}") for path in PAGES]
    answers.append(await http.post(f"{base}/{connection.id}/reconciliation", data={"csrf_token": token}))

    assert {answer.status_code for answer in answers} == {404}


async def test_comparing_while_a_run_is_going_on_leads_to_that_run(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = f"{await sign_in(hub, http, owner)}/connections/{connection.id}"
    going_on = await hub.syncs.start(owner, connection.id, streams=["companies"])
    page = await http.get(f"{base}/reconciliation")

    answer = await http.post(f"{base}/reconciliation", data={"csrf_token": token_in(page.text)})
    unknown = await http.get(f"{base}/reconciliation/quotes")

    assert answer.headers["location"].endswith(f"/runs/{going_on.id}?done=earlier")
    assert unknown.status_code == 404
    await hub.syncs.cancel(owner, going_on.id)


async def test_a_preview_is_a_fragment_for_htmx_and_a_page_without_it(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = f"{await sign_in(hub, http, owner)}/connections/{connection.id}/syncs"
    token = token_in((await http.get(f"{base}/new")).text)
    form = {"csrf_token": token, "every": "day", "day_at": "02:30", "time_zone": "Europe/Ljubljana", "jitter_seconds": "60"}

    part = await http.post(f"{base}/preview", data=form, headers={"hx-request": "true"})
    whole = await http.post(f"{base}/preview", data=form)
    wrong = await http.post(f"{base}/preview", data=form | {"time_zone": "<b>Mars</b>"}, headers={"hx-request": "true"})

    assert part.text.count("<li>") == 5
    assert "<html" not in part.text
    assert "<html" in whole.text
    assert ("is not a time zone" in wrong.text, "<b>" in wrong.text) == (True, False)
    assert await hub.schedules.syncs(owner, connection.id) == []


async def test_a_browser_that_goes_away_while_it_sends_a_form_is_no_surprise(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    base = f"{await sign_in(hub, http, owner)}/connections/{connection.id}/syncs"
    cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    headers = [(b"cookie", cookie.encode()), (b"sec-fetch-site", b"same-origin"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": f"{base}/preview", "headers": headers, "query_string": b"", "scheme": "http"}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await create_app(hub)({**scope, "server": ("hub.test", 80), "client": ("192.0.2.9", 1), "http_version": "1.1"}, receive, send)

    assert [message["status"] for message in sent if "status" in message] in ([400], [])
