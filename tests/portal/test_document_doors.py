"""Who gets to the pages of sales documents, and what they keep to. Over HTTP, without a browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from app.main import create_app
from app.paging import PageRequest
from app.records.models import Record
from portal.console.document_view import view_of
from tests import factories
from tests.portal.test_two_way_doors import sign_in, token_in
from tests.two_way.office import Office

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def document(hub: Hub, owner: Actor, metakocka: RunningSandbox) -> Record:
    """An order that only the hub has, beside a connection that could take it."""
    await Office.open(hub, owner, metakocka)
    line = {"name": HOSTILE, "quantity": "2", "unit_price": "10", "tax_rate": "22"}
    return await hub.edits.create(owner, "sales_document", {"kind": "order", "title": HOSTILE, "notes": HOSTILE, "lines": [line]})


def pages(document: Record) -> list[str]:
    return [
        "/documents",
        "/documents?status=pending&kind=order",
        "/documents/push",
        f"/records/{document.id}",
        f"/records/{document.id}/edit",
    ]


async def test_a_viewer_sees_documents_and_brings_none_of_them_anywhere(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, document: Record
) -> None:
    base = await sign_in(hub, http, owner, Role.VIEWER)

    answers = [await http.get(base + path) for path in pages(document)]
    token = token_in(answers[0].text)
    connection = (await hub.connections.list(owner, PageRequest())).items[0]
    forced = await http.post(f"{base}/records/{document.id}/pushes", data={"csrf_token": token, "connection": str(connection.id)})

    assert [answer.status_code for answer in answers] == [200, 200, 403, 200, 403]
    assert not re.search("Bring (to|all)|Delete</a>|>Edit<", answers[0].text + answers[3].text)
    assert forced.status_code == 403


async def test_the_head_of_a_document_is_changed_by_its_form_and_what_cannot_be_stored_is_said(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, document: Record
) -> None:
    base = await sign_in(hub, http, owner)
    address = f"{base}/records/{document.id}/edit"
    form = {"csrf_token": token_in((await http.get(address)).text), "version": "1", "notes": "Ring twice", "reference": "PO-7"}

    wrong = await http.post(address, data=form | {"discount": "a lot", "due_on": "soon"})
    untouched = await hub.records.get(owner, document.id)
    saved = await http.post(address, data=form | {"discount": "2.5", "due_on": "2026-12-31", "title": "Roof"})
    stale = await http.post(address, data=form | {"title": "Another roof"})

    assert wrong.status_code == 422
    assert "Write a number, such as 12.5." in wrong.text
    assert "Write a day, such as 2026-12-31." in wrong.text
    assert untouched.version == 1
    assert saved.status_code == 303
    now = (await hub.records.get(owner, document.id)).data
    assert {name: now[name] for name in ("title", "notes", "reference", "discount", "due_on")} == {
        "title": "Roof",
        "notes": "Ring twice",
        "reference": "PO-7",
        "discount": "2.5",
        "due_on": "2026-12-31",
    }
    assert now["lines"] == document.data["lines"]
    assert stale.status_code == 409
    assert "Somebody changed this document while you were writing" in stale.text


async def test_another_organization_finds_no_document(hub: Hub, http: httpx.AsyncClient, document: Record) -> None:
    base = await sign_in(hub, http, await factories.make_organization(hub, "Another"))

    found, shown = await http.get(f"{base}/documents"), await http.get(f"{base}/records/{document.id}")

    assert (found.status_code, shown.status_code) == (200, 404)
    assert "No documents here yet" in found.text
    assert str(document.id) not in found.text


async def test_every_page_keeps_to_the_strict_policy_and_shows_a_providers_markup_as_text(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, document: Record
) -> None:
    base = await sign_in(hub, http, owner)

    for path in pages(document):
        page = await http.get(base + path)
        assert page.status_code == 200, path
        assert HOSTILE not in page.text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", page.text), path


@pytest.mark.parametrize("query", ["kind=x", "status=x", "connection=x", "after=x"])
async def test_an_address_that_was_made_up_is_refused_in_words(hub: Hub, http: httpx.AsyncClient, owner: Actor, query: str) -> None:
    base = await sign_in(hub, http, owner)

    answer = await http.get(f"{base}/documents?{query}")

    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text


def test_amounts_of_lines_are_after_their_own_discount_and_before_tax():
    lines = [{"quantity": "2.5", "unit_price": "42.5", "discount": "10", "tax_rate": "22"}, {"quantity": "1", "unit_price": "-5"}]

    view = view_of({"kind": "credit_note", "number": "7", "lines": lines, "due_on": "2026-12-01", "status": "open"})

    assert (view.title, view.currency) == ("Credit note 7", "XXX")
    assert [str(line.amount.normalize()) for line in view.lines] == ["95.625", "-5"]
    assert str(view.lines_total.normalize()) == "90.625"
    assert [label for label, _ in view.facts] == ["Number", "Status", "Due on"]
