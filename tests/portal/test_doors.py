"""Who gets in, which forms are believed, and what every page says to the browser. Over HTTP, without a browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.actors import Actor, Role
from app.bootstrap import Hub
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.main import create_app
from app.paging import PageRequest
from tests import factories
from tests.quotes.world import World, invite, make_world

ORIGIN = "http://hub.test"


@pytest.fixture
async def http(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def slug(hub: Hub, owner: Actor) -> str:
    return (await hub.organizations.get(owner)).slug


async def sign_in(http: httpx.AsyncClient, link: str) -> httpx.Response:
    return await http.post(link)


async def staff(hub: Hub, http: httpx.AsyncClient, owner: Actor) -> None:
    await sign_in(http, await hub.organizations.make_link(owner, person_id=owner.id))


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_opening_a_link_changes_nothing_and_pressing_its_button_signs_in_once(
    hub: Hub, http: httpx.AsyncClient, owner: Actor
) -> None:
    link = await hub.organizations.make_link(owner, person_id=owner.id)
    looks = [await http.get(link) for _ in range(3)]

    first, second = await sign_in(http, link), await sign_in(http, link)

    assert [look.status_code for look in looks] == [200, 200, 200]
    assert all("Continue as" in look.text and "set-cookie" not in look.headers for look in looks)
    assert first.status_code == 303
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "This link cannot be used any more" in second.text


async def test_the_answer_is_the_same_for_an_address_that_nobody_has(hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str) -> None:
    person = next(iter(await hub.organizations.people(owner)))

    known = await http.post(f"/console/{slug}/sign-in", data={"email": person.email})
    unknown = await http.post(f"/console/{slug}/sign-in", data={"email": "nobody@nowhere.test"})

    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(person.email, "X") == unknown.text.replace("nobody@nowhere.test", "X")


async def test_an_address_that_is_none_is_said_at_its_field(http: httpx.AsyncClient, slug: str) -> None:
    answer = await http.post(f"/portal/{slug}/sign-in", data={"email": "not an address"})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'href="#email"' in answer.text


async def test_asking_for_links_again_and_again_is_slowed_down_in_words(http: httpx.AsyncClient, slug: str) -> None:
    answers = [await http.post(f"/portal/{slug}/sign-in", data={"email": "again@nowhere.test"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Too many links were asked for" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(http: httpx.AsyncClient, slug: str) -> None:
    answer = await http.get(f"/console/{slug}/runs")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/{slug}/sign-in?next=/console/{slug}/runs"


@pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test/", "/console/another/", "/portal/x/../../evil"])
async def test_signing_in_never_leads_to_another_site(hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str, path: str) -> None:
    person = next(iter(await hub.organizations.people(owner)))
    await http.post(f"/console/{slug}/sign-in", data={"email": person.email, "next": path})
    mails = await hub.mail.kept(owner, PageRequest(5))
    link = re.search(r"http\S+", mails.items[0].body)
    assert link is not None

    answer = await sign_in(http, link[0])

    assert answer.headers["location"] == f"/console/{slug}/"


async def test_a_form_from_another_site_changes_nothing(hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str) -> None:
    await staff(hub, http, owner)
    token = token_in((await http.get(f"/console/{slug}/settings")).text)
    form = {"csrf_token": token, "name": "Stolen", "role": "owner"}

    cross_site = await http.post(f"/console/{slug}/settings/tokens", data=form, headers={"sec-fetch-site": "cross-site"})
    same_site = await http.post(f"/console/{slug}/settings/tokens", data=form, headers={"sec-fetch-site": "same-site"})
    del http.headers["sec-fetch-site"]
    by_origin = await http.post(f"/console/{slug}/settings/tokens", data=form, headers={"origin": "https://evil.test"})
    own = await http.post(f"/console/{slug}/settings/tokens", data=form, headers={"origin": ORIGIN})

    assert [answer.status_code for answer in (cross_site, same_site, by_origin, own)] == [403, 403, 403, 200]
    assert len(await hub.organizations.tokens(owner)) == 1


async def test_a_form_without_the_sessions_token_changes_nothing(hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str) -> None:
    await staff(hub, http, owner)

    missing = await http.post(f"/console/{slug}/settings/tokens", data={"name": "X", "role": "viewer"})
    wrong = await http.post(f"/console/{slug}/settings/tokens", data={"name": "X", "role": "viewer", "csrf_token": "č"})

    assert [missing.status_code, wrong.status_code] == [403, 403]
    assert await hub.organizations.tokens(owner) == []


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    return await make_world(hub, owner, sandbox)


async def test_a_client_sees_neither_the_console_nor_the_quotes_of_others(
    hub: Hub, http: httpx.AsyncClient, world: World, owner: Actor, slug: str
) -> None:
    company = (await world.sandbox.create("company", name="Somebody Else"))["uuid"]
    await world.sync()
    other = await invite(hub, world.operator, world.connection, "Otto Other", company)
    await sign_in(http, await hub.organizations.make_link(owner, client_contact_id=other.id))

    listed = await http.get(f"/portal/{slug}/quotes")
    direct = [await http.get(f"/portal/{slug}/quotes/{world.quote_id}{tail}") for tail in ("", "/review", "/decline", "/receipt", "/sum")]
    console = await http.get(f"/console/{slug}/")

    assert "There is nothing here yet" in listed.text
    assert [answer.status_code for answer in direct] == [404] * 5
    assert console.status_code == 303


async def test_a_session_is_good_for_its_own_organization_only(hub: Hub, http: httpx.AsyncClient, owner: Actor) -> None:
    await staff(hub, http, owner)
    elsewhere = await factories.make_organization(hub, "Another")

    answer = await http.get(f"/console/{(await hub.organizations.get(elsewhere)).slug}/")

    assert answer.status_code == 303


async def test_a_viewer_is_shown_no_button_that_would_be_refused(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, world: World, slug: str
) -> None:
    person = await hub.organizations.add_person(owner, email="vera@viewer.test", name="Vera Viewer", role=Role.VIEWER)
    await sign_in(http, await hub.organizations.make_link(owner, person_id=person.id))

    connection = await http.get(f"/console/{slug}/connections/{world.connection.id}")
    quote = await http.get(f"/console/{slug}/quotes/{world.quote_id}")
    forced = await http.post(f"/console/{slug}/connections/{world.connection.id}/test", data={"csrf_token": token_in(connection.text)})

    assert connection.status_code == quote.status_code == 200
    for word in ("Test the connection", "Import data", "Remove", "Audit log"):
        assert word not in connection.text
    assert forced.status_code == 403
    assert "Your role does not allow this." in forced.text


async def test_every_page_has_a_strict_policy_and_keeps_to_it(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, world: World, slug: str
) -> None:
    await staff(hub, http, owner)

    for path in ("/", "/connections", f"/connections/{world.connection.id}", "/runs", f"/quotes/{world.quote_id}", "/settings", "/nothing"):
        page = await http.get(f"/console/{slug}{path}")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|hx-on|js:", page.text), path


async def test_no_page_shows_a_secret(hub: Hub, http: httpx.AsyncClient, owner: Actor, world: World, slug: str) -> None:
    await staff(hub, http, owner)
    base = f"/console/{slug}/connections/{world.connection.id}"

    pages = [await http.get(path) for path in (base, f"{base}/settings", f"/console/{slug}/audit", f"/console/{slug}/mail")]

    assert all(page.status_code == 200 for page in pages)
    assert all(world.sandbox.api_key not in page.text for page in pages)


async def test_static_files_are_kept_for_a_year_under_an_address_that_changes_with_them(http: httpx.AsyncClient, slug: str) -> None:
    page = await http.get(f"/portal/{slug}/sign-in")
    stylesheet = re.search(r'href="(/static/[^"]+/portal\.css)"', page.text)
    assert stylesheet is not None

    current = await http.get(stylesheet[1])
    stale = await http.get("/static/000000000000/portal.css")
    outside = await http.get("/static/000000000000/..%2Frouting.py")

    assert "immutable" in current.headers["cache-control"]
    assert current.headers["content-encoding"] == "gzip"
    assert stale.headers["cache-control"] == "no-cache"
    assert outside.status_code == 404


async def test_an_organizations_colours_come_in_a_stylesheet_of_their_own(http: httpx.AsyncClient, slug: str) -> None:
    page = await http.get(f"/portal/{slug}/sign-in")
    stylesheet = re.search(r'href="(/static/branding/[^"]+)"', page.text)
    assert stylesheet is not None

    colours = await http.get(stylesheet[1])

    assert colours.headers["content-type"].startswith("text/css")
    assert "--accent:light-dark(" in colours.text
    assert (await http.get("/static/branding/zzzzzz-0.css")).status_code == 404


async def test_a_page_that_does_not_exist_says_so_in_words(http: httpx.AsyncClient, slug: str) -> None:
    answer = await http.get(f"/portal/{slug}/nothing/here")
    nobody = await http.get("/portal/no-such-organization/sign-in")

    assert answer.status_code == nobody.status_code == 404
    assert "This page is not here" in answer.text
    assert "This page is not here" in nobody.text


async def test_a_mistaken_address_of_a_list_is_a_sentence_and_no_failure(
    hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str
) -> None:
    await staff(hub, http, owner)

    answers = [
        await http.get(f"/console/{slug}{path}")
        for path in (
            "/runs?connection=x",
            "/runs?status=odd",
            "/quotes?status=odd",
            "/runs?after=%21",
            "/mail?status=odd",
            "/clients/new",
            "/clients/new?contact=1",
        )
    ]

    assert all(400 <= answer.status_code < 500 for answer in answers), [answer.status_code for answer in answers]


async def test_one_browser_may_be_signed_in_at_both_doors(hub: Hub, http: httpx.AsyncClient, owner: Actor, world: World, slug: str) -> None:
    await staff(hub, http, owner)
    await sign_in(http, await hub.organizations.make_link(owner, client_contact_id=world.contact.id))

    console, portal = await http.get(f"/console/{slug}/"), await http.get(f"/portal/{slug}/quotes")

    assert "Olive Owner" in console.text
    assert "Signed in as" in portal.text
    assert "Carla Client" in portal.text


async def test_signing_out_ends_the_session(hub: Hub, http: httpx.AsyncClient, owner: Actor, slug: str) -> None:
    await staff(hub, http, owner)
    cookies = dict(http.cookies)
    token = token_in((await http.get(f"/console/{slug}/")).text)

    await http.post(f"/console/{slug}/sign-out", data={"csrf_token": token})

    http.cookies.update(cookies)
    assert (await http.get(f"/console/{slug}/")).status_code == 303
