"""Attacks on signing in, over HTTP: other doors, tampered links, prefetching, foreign sites, frames."""

import asyncio
import re

import httpx
import pytest

from app.main import create_app
from tests.factories import make_organization

ORIGIN = "http://hub.test"


@pytest.fixture
async def http(hub):
    transport = httpx.ASGITransport(create_app(hub), raise_app_exceptions=False, client=("192.0.2.77", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


@pytest.fixture
async def slug(hub, owner):
    return (await hub.organizations.get(owner)).slug


@pytest.fixture
async def link(hub, owner):
    return await hub.organizations.make_link(owner, person_id=owner.id)


async def test_a_link_is_used_only_at_its_own_door_and_organization(hub, http, slug, link):
    other = (await hub.organizations.get(await make_organization(hub))).slug
    places = [f"/portal/{slug}", f"/console/{other}", f"/portal/{other}"]
    token = link.rpartition("/")[2]

    elsewhere = [await http.post(f"{place}/sign-in/{token}") for place in places]
    here = await http.post(link)

    assert [(answer.status_code, "set-cookie" in answer.headers) for answer in elsewhere] == [(404, False)] * 3
    assert (here.status_code, "set-cookie" in here.headers) == (303, True)


async def test_twenty_browsers_with_one_link_make_one_session(http, link):
    answers = await asyncio.gather(*(http.post(link) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers).count(303) == 1
    assert sum("set-cookie" in answer.headers for answer in answers) == 1
    assert all("cannot be used any more" in answer.text for answer in answers if answer.status_code != 303)


@pytest.mark.parametrize("change", ["cut", "longer", "other secret", "other organization", "no token", "NUL", "bytes", "huge"])
async def test_a_tampered_link_is_a_page_in_plain_words(hub, owner, http, slug, link, change):
    token = link.rpartition("/")[2]
    organization = re.search(r"cw_([0-9a-f]+)_", token)[1]
    changed = {
        "cut": token[:-1],
        "longer": token + "x",
        "other secret": token[:-4] + "AAAA",
        "other organization": token.replace(organization, "0" * len(organization)),
        "no token": "none",
        "NUL": token + "%00",
        "bytes": "%ff%fe",
        "huge": "cw_" + "a" * 20_000,
    }[change]

    answers = [await http.request(method, f"/console/{slug}/sign-in/{changed}") for method in ("GET", "POST")]

    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert "set-cookie" not in answer.headers
        assert "Traceback" not in answer.text
    assert (await http.post(link)).status_code == 303


async def test_scanners_and_prefetching_browsers_use_no_link(http, link):
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, link, headers={"purpose": "prefetch", "sec-purpose": "prefetch"})
        assert "set-cookie" not in answer.headers, method

    assert (await http.post(link)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.test"},
        {"sec-fetch-site": "", "origin": "null"},
        {"sec-fetch-site": "cross-site", "x-csrf-token": "guessed", "content-type": "text/plain"},
    ],
)
async def test_another_site_signs_nobody_in_and_out_and_changes_nothing(http, slug, link, headers):
    """Also not into the attacker's own account: what a victim then enters would be the attacker's to read."""
    foreign = await http.post(link, headers=headers)
    await http.post(link)
    out = await http.post(f"/console/{slug}/sign-out", headers=headers)
    cookie = http.cookies.get("crosswalk_session")
    query = {"query": 'mutation { deleteConnection(input: {id: "x", idempotencyKey: "x"}) { __typename } }'}
    api = await http.post("/graphql", json=query, headers={name: value for name, value in headers.items() if name != "content-type"})

    assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
    assert out.status_code == 403
    assert cookie
    assert (await http.get(f"/console/{slug}/")).status_code == 200
    assert api.status_code == 401


async def test_a_session_that_somebody_planted_is_not_taken_over(hub, http, slug, link):
    http.cookies.set("crosswalk_session", "planted", domain="hub.test", path="/")

    answer = await http.post(link)

    given = re.search(r"crosswalk_session=([^;]+)", answer.headers["set-cookie"])[1]
    assert given.startswith("cw_")
    assert "planted" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("path", ["/console/{slug}/sign-in", "/portal/{slug}/sign-in", "/console/{slug}/nowhere", "/graphql", "/nowhere"])
async def test_no_page_can_be_framed_sniffed_or_kept(http, slug, path):
    answer = await http.get(path.format(slug=slug))

    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.search("no-store|no-cache", answer.headers["cache-control"])


async def test_the_cookie_is_the_servers_alone_and_encrypted_where_the_hub_is(hub, owner, link, monkeypatch):
    transport = httpx.ASGITransport(create_app(hub), client=("192.0.2.77", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="https://hub.test", headers={"sec-fetch-site": "same-origin"}) as http:
        answer = await http.post(link.replace("http://", "https://"))

    flags = {part.strip().lower().partition("=")[0]: part for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "secure", "samesite"} <= set(flags)
    assert "domain" not in flags
