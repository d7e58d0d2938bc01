"""Who gets to the pages of two-way sync, and what they keep to. Over HTTP, without a browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.conflicts.models import DELETED, Conflict, StreamPolicy
from app.connections.models import Connection
from app.connectors.base import Writer
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.paging import PageRequest
from portal.console.conflict_cards import Place, card_of, entry_of
from portal.console.deletions import sentence_of
from portal.console.fields import differences, label_of, marked, shown
from tests import factories

ALL = PageRequest(100)


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def connection(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Connection:
    await sandbox.reset()
    return await factories.make_connection(hub, owner, sandbox)


@pytest.fixture
async def conflict(hub: Hub, owner: Actor, sandbox: RunningSandbox, connection: Connection) -> Conflict:
    """A company whose name was changed on both sides."""
    made = await sandbox.create("company", name="Both")
    await factories.sync(hub, owner, connection, streams=["companies"])
    (record,) = (await hub.records.contacts(owner, ALL)).items
    await hub.edits.update(owner, record.id, version=1, changes={"name": "Ours"})
    await sandbox.edit("company", made["uuid"], name="Theirs")
    await factories.sync(hub, owner, connection, streams=["companies"], mode="full")
    (found,) = (await hub.conflicts.conflicts(owner, ALL)).items
    return found


async def sign_in(hub: Hub, http: httpx.AsyncClient, owner: Actor, role: Role | None = None) -> str:
    """Sign in as the owner, or as somebody new with that role; the console's address."""
    person = owner.id if role is None else (await hub.organizations.add_person(owner, email="v@v.test", name="Vera", role=role)).id
    await http.post(await hub.organizations.make_link(owner, person_id=person))
    return f"/console/{(await hub.organizations.get(owner)).slug}"


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def pages(conflict: Conflict) -> dict[str, str]:
    """What there is to see of a conflict, its record and its connection."""
    record, rules = f"/records/{conflict.record_id}", f"/connections/{conflict.connection_id}/streams/companies/rules"
    return {
        "inbox": "/conflicts",
        "record": record,
        "edit": f"{record}/edit",
        "deletion": f"{record}/deletion",
        "version": f"{record}/versions/1",
        "rule": f"/conflicts/{conflict.id}/rule",
        "rules": rules,
    }


def acts(conflict: Conflict) -> list[tuple[str, dict[str, str]]]:
    """Every form."""
    record = f"/records/{conflict.record_id}"
    return [
        (f"/conflicts/{conflict.id}/resolution", {"resolution": "theirs"}),
        ("/conflicts/restoration", {"conflict": str(conflict.id)}),
        ("/conflicts/resolutions", {"conflict": str(conflict.id), "resolution": "theirs"}),
        (f"/conflicts/{conflict.id}/rule", {"rule": "provider_wins"}),
        (f"{record}/edit", {"version": "4", "name": "Stolen"}),
        (f"{record}/deletion", {"version": "4"}),
        (f"{record}/versions/1/restoration", {"version": "4"}),
        (f"{record}/pushes", {"connection": str(conflict.connection_id)}),
        (f"/connections/{conflict.connection_id}/streams/companies/rules", {"conflicts": "hub_wins", "version": "0"}),
    ]


async def test_a_viewer_sees_conflicts_and_records_and_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, conflict: Conflict
) -> None:
    base = await sign_in(hub, http, owner, Role.VIEWER)

    answers = {name: await http.get(base + path) for name, path in pages(conflict).items()}
    token = token_in(answers["inbox"].text)
    forced = [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in acts(conflict)]

    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {"inbox": 200, "record": 200, "edit": 403, "deletion": 403, "version": 403, "rule": 403, "rules": 403}
    assert "Theirs" in answers["inbox"].text
    for word in ("Keep the hub", "Take ServiceM8", "Always decide", "Write another value", "Make it this again", ">Edit<", "Delete</a>"):
        assert word not in answers["inbox"].text + answers["record"].text
    assert {answer.status_code for answer in forced} == {403}
    await assert_untouched(hub, owner, conflict)


async def assert_untouched(hub: Hub, owner: Actor, conflict: Conflict) -> None:
    assert (await hub.conflicts.get(owner, conflict.id)).resolved_at is None
    record = await hub.records.get(owner, conflict.record_id)
    assert (record.data["name"], record.deleted_at) == ("Ours", None)
    assert (await hub.conflicts.policy(owner, conflict.connection_id, "companies")).version == 0


async def test_another_organization_finds_none_of_it(hub: Hub, http: httpx.AsyncClient, owner: Actor, conflict: Conflict) -> None:
    base = await sign_in(hub, http, await factories.make_organization(hub, "Another"))

    looks = {name: await http.get(base + path) for name, path in pages(conflict).items() if name != "inbox"}
    inbox = await http.get(f"{base}/conflicts?connection={conflict.connection_id}&record={conflict.record_id}")
    token = token_in(inbox.text)
    forced = [await http.post(base + path, data={"csrf_token": token, **form}) for path, form in acts(conflict)]

    assert {answer.status_code for answer in looks.values()} == {404}
    # Of many, those that are not found are counted as refused.
    of_many = ("/conflicts/resolutions", "/conflicts/restoration")
    assert {answer.status_code for (path, _), answer in zip(acts(conflict), forced, strict=True) if path not in of_many} == {404}
    assert "Theirs" not in inbox.text
    await assert_untouched(hub, owner, conflict)


async def test_a_form_without_the_sessions_token_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, conflict: Conflict
) -> None:
    base = await sign_in(hub, http, owner)

    answers = [await http.post(base + path, data=form) for path, form in acts(conflict)]

    assert {answer.status_code for answer in answers} == {403}
    await assert_untouched(hub, owner, conflict)


async def test_every_page_keeps_to_the_strict_policy(hub: Hub, http: httpx.AsyncClient, owner: Actor, conflict: Conflict) -> None:
    base = await sign_in(hub, http, owner)

    for path in pages(conflict).values():
        page = await http.get(base + path)
        assert page.status_code == 200, path
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", page.text), path


@pytest.mark.parametrize(
    "path",
    ["/conflicts?connection=x", "/conflicts?after=x", "/conflicts?decided=x", "/conflicts/00000000-0000-0000-0000-000000000000/rule"],
)
async def test_an_address_that_was_made_up_is_refused_in_words(hub: Hub, http: httpx.AsyncClient, owner: Actor, path: str) -> None:
    base = await sign_in(hub, http, owner)

    answer = await http.get(base + path)

    assert answer.status_code in (404, 422)
    assert "Nothing was changed." in answer.text


async def test_names_from_providers_are_shown_as_text(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, sandbox: RunningSandbox, conflict: Conflict
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    record = await hub.records.get(owner, conflict.record_id)
    await hub.edits.update(owner, record.id, version=record.version, changes={"name": hostile, "notes": hostile})
    base = await sign_in(hub, http, owner)

    for path in pages(conflict).values():
        assert hostile not in (await http.get(base + path)).text
    resolved = await http.post(
        f"{base}/conflicts/{conflict.id}/resolution",
        data={"csrf_token": token_in((await http.get(f"{base}/conflicts")).text), "resolution": "value", "value": hostile},
        headers={"hx-request": "true"},
    )
    assert "Another value was written" in resolved.text
    assert hostile not in resolved.text


# The words, alone.


class _Writer(Writer):
    requests = 1

    def __init__(self, deletes: str | None) -> None:
        self.deletes = deletes


@pytest.mark.parametrize(
    ("deletes", "rule", "is_removed", "words"),
    [
        ("delete", "propagate", True, "deleted at Acme with"),
        ("deactivate", "propagate", True, "deactivated at Acme with"),
        ("deactivate", "deactivate", True, "deactivated at Acme with"),
        ("delete", "deactivate", False, "keep deletions in the hub"),
        ("delete", "tombstone", False, "keep deletions in the hub"),
        ("delete", "ignore", False, "keep deletions in the hub"),
        (None, "propagate", False, "lets nobody delete it"),
    ],
)
def test_what_a_deletion_does_elsewhere_is_said_as_the_engine_does_it(deletes: str | None, rule: str, is_removed: bool, words: str) -> None:
    policy = replace(StreamPolicy(UUID(int=1), "partners"), hub_deletions=rule)

    found, sentence = sentence_of(_Writer(deletes), policy, "Acme", False)

    assert found is is_removed
    assert words in sentence


def test_only_the_words_that_differ_are_marked():
    assert marked("https://a.test/contact", "https://a.test/about") == "https://a.test/<mark>contact</mark>"
    assert marked("4000 Kranj", "1000 Kranj") == "<mark>4000</mark> Kranj"
    assert marked("same", "same") == "same"
    assert (marked("a b", "a"), marked("a", "a b")) == ("a<mark> b</mark>", "a")
    assert marked("<b>1", "<b>2") == "&lt;b&gt;<mark>1</mark>"
    assert marked("Street: A\nCity: X", "Street: B\nCity: X") == "Street: <mark>A</mark>\nCity: X"


def test_fields_and_values_are_said_in_plain_words():
    assert label_of("email") == "E-mail"
    assert label_of("address.postcode") == "Address: post code"
    assert shown({"city": "Kranj", "street": "Nova 1", "state": ""}) == "Street: Nova 1\nCity: Kranj"
    assert shown([{"external_id": "7", "name": "Ana", "email": "a@a.test", "is_primary": True}]) == "Ana, a@a.test"
    assert [shown(value) for value in (True, False, None, "", [], {})] == ["Yes", "No", "", "", "", ""]


def test_nothing_that_looks_the_same_is_called_a_difference():
    before = {"name": "A", "address": {"city": "Kranj"}, "edited_at": "1"}
    after = {"name": "A", "address": {"city": "Bled"}, "people": [], "custom": {}, "edited_at": "2"}

    (found,) = differences(before, after)

    assert (found.label, found.before, found.after) == ("Address: city", "Kranj", "Bled")


@pytest.mark.parametrize(
    ("field", "entry"),
    [("email", "text"), ("is_customer", "flag"), ("address", "address"), ("people", ""), ("custom", ""), ("parent_external_id", "text")],
)
def test_what_can_be_typed_for_a_field(field: str, entry: str) -> None:
    assert entry_of("contact", field) == entry


@pytest.mark.parametrize(
    ("ours", "theirs", "keep", "take"),
    [(None, {"name": "A"}, "Leave it deleted", "Bring it back"), ({"name": "A"}, None, "Keep it", "Delete it here too")],
)
async def test_a_deletion_on_one_side_is_asked_in_its_own_words(conflict: Conflict, ours, theirs, keep: str, take: str) -> None:
    deletion = replace(conflict, field=DELETED, base=None, ours=ours, theirs=theirs)

    card = card_of(deletion, None, Place("Acme Ljubljana", "Acme", "Partners", False))

    assert (card.keep, card.take, card.entry) == (keep, take, "")
