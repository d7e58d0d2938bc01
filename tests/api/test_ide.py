"""The IDE page is for development: it loads its scripts from a content network, so only the setting brings it out."""

import httpx

from app.settings import Settings
from tests.api.client import GraphQLClient

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_setting_is_off_unless_somebody_turns_it_on():
    assert Settings().debug is False
    assert Settings.from_environment({}).debug is False
    assert Settings.from_environment({"CROSSWALK_DEBUG": "true"}).debug is True


async def test_a_browser_gets_no_ide_page_in_production(http: httpx.AsyncClient, api: GraphQLClient):
    stranger = await http.get("/graphql", headers=BROWSER)
    signed_in = await http.get("/graphql", headers=BROWSER | {"Authorization": f"Bearer {api.token}"})

    assert (stranger.status_code, signed_in.status_code) == (401, 404)
    for answer in (stranger, signed_in):
        assert answer.headers["content-type"].startswith("application/json")
        assert "graphiql" not in answer.text.lower()
        assert "https:" not in answer.headers["content-security-policy"]


async def test_a_browser_that_is_signed_in_gets_the_ide_page_where_the_setting_is_on(open_server: str, token: str):
    async with httpx.AsyncClient(base_url=f"http://{open_server}") as client:
        stranger = await client.get("/graphql", headers=BROWSER)
        page = await client.get("/graphql", headers=BROWSER | {"Authorization": f"Bearer {token}"})

    assert stranger.status_code == 401
    assert "graphiql" not in stranger.text.lower()
    assert page.status_code == 200
    assert "graphiql" in page.text.lower()
    assert "https:" in page.headers["content-security-policy"]
