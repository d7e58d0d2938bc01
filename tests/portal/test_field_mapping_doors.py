"""Who gets to the editor of field mappings, and what its form means. Over HTTP, without a browser."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.base import FieldRow
from app.connectors.registry import find_connectors
from app.connectors.servicem8.fields import COMPANY_FIELDS
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.paging import PageRequest
from portal.console.field_rows import GivenRow, custom_row, given_of, lines_of, missing, one_way, row_of, targets_of
from tests import factories

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def connection(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> Connection:
    """A connection with one company that was read, and a version that is not published."""
    await sandbox.reset()
    await sandbox.create("company", name=HOSTILE, badge=HOSTILE)
    made = await factories.make_connection(hub, owner, sandbox)
    await factories.sync(hub, owner, made, streams=["companies"])
    await hub.field_mappings.save(owner, made.id, "companies", [*COMPANY_FIELDS.rows, FieldRow("notes", "badge")], note=HOSTILE)
    return made


async def sign_in(hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection, role: Role | None = None) -> str:
    """Sign in as the owner, or as somebody new with that role; the address of the companies' fields."""
    person = owner.id if role is None else (await hub.organizations.add_person(owner, email="v@v.test", name="Vera", role=role)).id
    await http.post(await hub.organizations.make_link(owner, person_id=person))
    return f"/console/{(await hub.organizations.get(owner)).slug}/connections/{connection.id}/streams/companies/fields"


async def token(http: httpx.AsyncClient, base: str) -> str:
    """The form token of any page of the console."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await http.get(base.split("/connections/")[0] + "/")).text)
    assert found is not None
    return found[1]


def filled(*rows: GivenRow, **more: str) -> dict[str, str]:
    """The form as a browser sends it."""
    form = {"count": str(len(rows)), "based_on": "0", **more}
    for index, row in enumerate(rows):
        form |= {f"row-{index}-{name}": getattr(row, name) for name in ("target", "path", "transforms", "default")}
        form |= {f"row-{index}-way": "both" if row.writes else "pull"}
        form |= {f"row-{index}-{name}": "yes" for name in ("required", "removed") if getattr(row, name)}
    return form


ACTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("", filled(*map(given_of, COMPANY_FIELDS.rows), do="save")),
    ("", filled(*map(given_of, COMPANY_FIELDS.rows), do="preview")),
    ("/runs", {}),
    ("/versions/1/publication", {}),
    ("/versions/1/publication", {"remap": "yes"}),
)
PAGES = ("", "?version=1", "/versions/0", "/versions/1", "/versions/1/publication", "/versions/0/publication")


async def untouched(hub: Hub, owner: Actor, connection: Connection) -> bool:
    found = await hub.field_mappings.effective(owner, connection.id, "companies")
    runs = await hub.syncs.latest_runs(owner, [connection.id], PageRequest(10))
    return found.version == 0 and [run.mode for run in runs[connection.id]] == ["incremental"]


async def test_a_viewer_sees_rows_and_versions_and_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = await sign_in(hub, http, owner, connection, Role.VIEWER)
    key = await token(http, base)

    looks = {path: await http.get(base + path) for path in PAGES}
    forced = [await http.post(base + path, data={"csrf_token": key, **form}) for path, form in ACTS]

    assert [answer.status_code for answer in looks.values()] == [200, 200, 200, 200, 403, 403]
    for word in ("Save as a version", "Add a row", "Re-map", "What nobody reads yet", "<textarea"):
        assert word not in looks[""].text
    assert "Publish" not in looks["/versions/1"].text
    assert {answer.status_code for answer in forced} == {403}
    assert await untouched(hub, owner, connection)


async def test_another_organization_finds_none_of_it(hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection) -> None:
    base = await sign_in(hub, http, await factories.make_organization(hub, "Another"), connection)
    key = await token(http, base)

    looks = [await http.get(base + path) for path in PAGES]
    forced = [await http.post(base + path, data={"csrf_token": key, **form}) for path, form in ACTS]

    assert {answer.status_code for answer in [*looks, *forced]} == {404}
    assert await untouched(hub, owner, connection)


async def test_a_form_without_the_sessions_token_changes_nothing(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = await sign_in(hub, http, owner, connection)

    answers = [await http.post(base + path, data=form) for path, form in ACTS]

    assert {answer.status_code for answer in answers} == {403}
    assert await untouched(hub, owner, connection)


async def test_pages_keep_to_the_strict_policy_and_show_what_providers_say_as_text(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection
) -> None:
    base = await sign_in(hub, http, owner, connection)
    rows = [*map(given_of, COMPANY_FIELDS.rows), GivenRow("notes", "badge", HOSTILE)]
    tried = await http.post(base, data={"csrf_token": await token(http, base), **filled(*rows, do="preview")})

    answers = [*[await http.get(base + path) for path in PAGES], tried]

    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert HOSTILE not in answer.text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", answer.text.replace("onerror", ""))


@pytest.mark.parametrize(
    ("path", "status"),
    [("?version=9", 404), ("?version=x", 200), ("/versions/9", 404), ("/versions/99999999999", 404), ("/versions/9/publication", 404)],
)
async def test_an_address_that_was_made_up_is_refused_in_words(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection, path: str, status: int
) -> None:
    base = await sign_in(hub, http, owner, connection)

    answer = await http.get(base + path)
    unknown = await http.get(base.replace("/companies/", "/shoes/"))
    view = await http.get(base.replace("/companies/", "/quotes/"))

    assert answer.status_code == status
    assert (unknown.status_code, view.status_code) == (404, 404)


@pytest.mark.parametrize("form", [{}, {"count": "x"}, {"count": "-1", "based_on": "0"}, {"count": "9" * 30, "based_on": "0"}])
async def test_a_form_that_was_made_up_is_refused_in_words(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection, form: dict[str, str]
) -> None:
    base = await sign_in(hub, http, owner, connection)

    answer = await http.post(base, data={"csrf_token": await token(http, base), "do": "save", **form})

    assert answer.status_code == 422
    assert await untouched(hub, owner, connection)


async def test_a_form_that_is_sent_twice_saves_one_version(hub: Hub, http: httpx.AsyncClient, owner: Actor, connection: Connection) -> None:
    base = await sign_in(hub, http, owner, connection)
    form = {"csrf_token": await token(http, base), "idempotency_key": factories.key(), **filled(*map(given_of, COMPANY_FIELDS.rows))}

    answers = [await http.post(base, data={**form, "do": "save"}) for _ in range(2)]

    assert [answer.headers["location"].rpartition("/")[2] for answer in answers] == ["2?done=mapping-saved"] * 2


# The words, alone.


@pytest.mark.parametrize(
    "row",
    [row for connector in find_connectors().values() for stream in connector.streams.values() for row in stream.fields.rows],
    ids=lambda row: row.target,
)
def test_a_row_is_the_same_after_the_form(row: FieldRow) -> None:
    entities = {row.target: stream.entity for stream in _streams() for row in stream.fields.rows}

    assert row_of(entities[row.target], given_of(row)) == row


def _streams() -> list[Any]:
    return [stream for connector in find_connectors().values() for stream in connector.streams.values()]


@pytest.mark.parametrize("default", [None, "", "a", " a ", '"a"', "1", "true", 1, 1.5, True, ["a"], {"a": 1}])
def test_a_default_is_the_same_after_the_form(default: Any) -> None:
    row = FieldRow("name" if isinstance(default, str) else "custom.any", "n", (("enum", "In work=a b", 'q"=c'),), default=default)

    assert row_of("contact", given_of(row)) == row


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GivenRow("", "name"), "Name the field"),
        (GivenRow("name", ""), "where it stands"),
        (GivenRow("name", "name", 'enum "a=b'), "quotation mark"),
    ],
)
def test_a_row_that_cannot_be_read_says_why(given: GivenRow, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        row_of("contact", given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GivenRow("name", "name", "trim"), ""),
        (GivenRow("people[].phone", "p[].mobile", "trim"), ""),
        (GivenRow("name", "a || b"), "no place to write it to"),
        (GivenRow("name", "name", "trim\nupper"), "“upper” has no way back: it forgets which letters were small."),
        (GivenRow("name", "name", "shout"), ""),
    ],
)
def test_a_row_says_why_it_can_only_be_read(given: GivenRow, words: str) -> None:
    assert words in one_way(given)
    assert bool(words) == bool(one_way(given))


def test_rows_are_marked_beside_those_that_come_with_the_connector() -> None:
    own = (FieldRow("name", "name"), FieldRow("email", "email"), FieldRow("phone", "phone"))
    given = [GivenRow("name", "name"), GivenRow("email", "mail"), GivenRow("custom.po", "po"), GivenRow("phone", "phone", removed=True)]

    lines = lines_of(given, own, {"row-1": "No."})

    assert [(line.mark, line.problem) for line in lines] == [("default", ""), ("changed", "No."), ("added", ""), ("removed", "")]
    assert [row.target for row in missing(given[:1], own)] == ["email", "phone"]


def test_a_name_that_nobody_reads_becomes_a_field_of_its_own_where_the_record_has_room_for_it() -> None:
    assert custom_row("contact", "custom.po number").target == "custom.custom_po number"
    assert {"name", "address.city", "people[].email"} <= set(targets_of("contact"))
    assert "custom" not in targets_of("contact")
