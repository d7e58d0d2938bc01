"""Who is let in, and what is there to be asked for."""

import httpx
import pytest

from app.connectors.servicem8.sandbox import SandboxConfig, create_app
from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider, refused


async def test_no_credentials_get_an_html_challenge_for_basic_authentication(http: httpx.AsyncClient):
    answer = await http.get("/api_1.0/company.json")

    assert answer.status_code == 401
    assert answer.text == "Authorization Required"
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["www-authenticate"] == 'Basic realm="ServiceM8 API"'


@pytest.mark.parametrize("headers", [{"X-API-Key": "smk-wrong"}, {"x-api-key": "smk-wrong"}, {"Authorization": "Bearer abc"}])
async def test_a_wrong_key_or_token_gets_a_json_refusal(http: httpx.AsyncClient, headers: dict[str, str]):
    answer = await http.get("/api_1.0/company.json", headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {"errorCode": 401, "message": "Authorization Required"}
    assert "www-authenticate" not in answer.headers


async def test_a_wrong_password_gets_an_html_sentence(http: httpx.AsyncClient):
    answer = await http.get("/api_1.0/company.json", auth=("owner@example.test", "secret"))

    assert (answer.status_code, answer.text) == (401, "Invalid username or password")
    assert answer.headers["content-type"].startswith("text/html")


async def test_each_key_sees_its_own_account_only(provider: Provider, ljubljana: Provider):
    uuid = await provider.made("company", name="Only in Perth")

    assert (await provider.get("company.json")).json() != []
    assert (await ljubljana.get("company.json")).json() == []
    assert refused(await ljubljana.get(f"company/{uuid}.json"), 404, "Resource not found")


async def test_an_account_may_have_several_keys(http: httpx.AsyncClient, provider: Provider):
    uuid = await provider.made("company", name="Seen with both keys")

    assert (await Provider(http, "smk-perth-2").one(f"company/{uuid}.json"))["name"] == "Seen with both keys"


async def test_the_vendor_list_has_one_element_that_names_account_currency_and_time_zone(provider: Provider, ljubljana: Provider):
    (perth,), (slovenian,) = (await provider.get("vendor.json")).json(), (await ljubljana.get("vendor.json")).json()

    assert (perth["currency"], perth["timezone_name"]) == ("AUD", "Australia/Perth")
    assert (slovenian["currency"], slovenian["timezone_name"], slovenian["name"]) == ("EUR", "Europe/Ljubljana", "Žarek")
    assert perth["uuid"] != slovenian["uuid"]


@pytest.mark.parametrize("name", ["company", "companycontact", "job", "jobmaterial", "note", "taxrate", "vendor"])
async def test_object_names_are_taken_in_any_letter_case(provider: Provider, name: str):
    for spelling in (name, name.capitalize(), name.upper()):
        assert (await provider.get(f"{spelling}.json")).status_code == 200


@pytest.mark.parametrize("name", ["jobs", "Invoice", "dbonote", "attachment", "jobqueue"])
async def test_an_unknown_object_is_a_400_and_not_a_404(provider: Provider, name: str):
    assert refused(await provider.get(f"{name}.json"), 400, f"{name} is not an authorised object type")


@pytest.mark.parametrize("path", ["/", "/api_2.0/company.json", "/api_1.0/company", "/webhook_subscriptions", "/oauth/access_token"])
async def test_a_wrong_root_is_a_400_too(http: httpx.AsyncClient, provider: Provider, path: str):
    answer = await http.get(path, headers=provider.headers)

    assert refused(answer, 400, "is not an authorised object type")


async def test_a_single_note_answers_under_both_of_its_names(provider: Provider):
    uuid = await provider.made("note", related_object="job", related_object_uuid="", note="Hello")

    assert (await provider.one(f"dbonote/{uuid}.json")) == (await provider.one(f"note/{uuid}.json"))
    assert (await provider.one(f"DboNote/{uuid}.json"))["note"] == "Hello"


async def test_an_unknown_record_is_a_404(provider: Provider):
    unknown = "0f0f0f0f-0000-4000-8000-000000000000"

    assert refused(await provider.get(f"company/{unknown}.json"), 404, "Resource not found")
    assert refused(await provider.post(f"company/{unknown}.json", {"name": "x"}), 404, "Resource not found")
    assert refused(await provider.delete(f"company/{unknown}.json"), 404, "Resource not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "company.json"), ("DELETE", "company.json"), ("PATCH", "company/x.json"), ("PUT", "job/x.json"), ("POST", "vendor.json")],
)
async def test_other_methods_are_not_allowed(provider: Provider, method: str, path: str):
    assert refused(await provider.request(method, path), 405, "not allowed")


async def test_without_the_control_setting_there_are_no_control_routes(sandbox: RunningSandbox, provider: Provider):
    application = create_app(SandboxConfig())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://sandbox") as client:
        answer = await client.get("/_control/ledger", headers={"X-API-Key": "smk-sandbox"})

    assert refused(answer, 400, "is not an authorised object type")
    assert (await sandbox.control("GET", ""))["sandbox"] == "ServiceM8"
