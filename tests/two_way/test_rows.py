"""Fields that Metakocka does not have, connections that are never mixed, and what is written down when a call fails."""

import pytest
import structlog

from app.errors import InvalidInput
from app.paging import PageRequest
from app.syncs.models import RunStatus
from tests import factories
from tests.connectors.metakocka.company import add_document, settings_of
from tests.two_way.office import Office

REAL = "https://main.metakocka.si"


@pytest.mark.requirement("MKC-34", "MKC-35")
async def test_notes_and_website_stay_in_the_hub_and_no_sync_sends_or_empties_them(office: Office):
    mk_id = await office.add("Acme")
    await office.run()
    await office.edit(await office.record(mk_id), notes="Rings twice", website="https://acme.test", email="nova@acme.test")

    pushed = await office.run("push")
    await office.sandbox.edit_partner(mk_id, customer="Acme & sinovi")
    await office.run()

    record = await office.record(mk_id)
    sent = repr(await office.sandbox.ledger(operation="update_partner"))
    assert pushed.counts.updated == 1
    assert "nova@acme.test" in sent
    assert "Rings twice" not in sent
    assert "https://acme.test" not in sent
    assert (record.data["name"], record.data["notes"], record.data["website"]) == ("Acme & sinovi", "Rings twice", "https://acme.test")
    again = await office.edit(record, notes="Rings once")
    assert (await office.run("push")).counts.updated == 0
    assert (await office.record(mk_id)).data == again.data


@pytest.mark.requirement("MKD-18", "MKD-27")
async def test_what_tests_with_a_sandbox_never_reaches_metakocka_and_what_is_live_never_a_sandbox(office: Office):
    settings = settings_of(office.sandbox)
    secret = {"secret_key": settings.pop("secret_key")}
    new = {"provider": "metakocka", "credentials": secret}

    async def refused(mode: str, **values: object) -> set[str]:
        with pytest.raises(InvalidInput) as refusal:
            await office.hub.connections.create(
                office.operator, name="Another", mode=mode, settings=settings | values, idempotency_key=factories.key(), **new
            )
        return set(refusal.value.fields)

    with pytest.raises(InvalidInput) as turned:
        await office.hub.connections.update(office.operator, office.connection.id, settings={"base_url": REAL}, credentials=secret)

    assert office.connection.mode == "sandbox"
    assert await refused("sandbox", base_url=REAL) == {"base_url"}
    assert await refused("live") == {"base_url"}
    assert await refused("mock") == {"mode"}
    assert set(turned.value.fields) == {"base_url"}


@pytest.mark.requirement("MKD-25")
async def test_a_call_that_fails_is_written_down_field_by_field_and_without_its_secret(office: Office):
    """The company's people have put the key where it does not belong, and Metakocka repeats it in its refusal."""
    order = (await add_document(office.sandbox, "sales_order"))["mk_id"]
    await office.run(streams=("partners", "orders"))
    await office.edit(await office.record(order), status=office.sandbox.secret_key)

    with structlog.testing.capture_logs() as logs:
        run = await office.run("push", streams=("orders",))

    calls = (await office.hub.connections.provider_calls(office.operator, office.connection.id, PageRequest(100), sync_run_id=run.id)).items
    (failed,) = [call for call in calls if call.error]
    (line,) = [line for line in logs if line["event"] == "provider call" and line["error"]]
    (record,) = (await office.hub.failed_records.failed_records(office.operator, PageRequest(), connection_id=office.connection.id)).items
    assert run.status == RunStatus.PARTIALLY_COMPLETED
    assert (failed.method, failed.status, failed.attempt) == ("POST", 200, 1)
    assert failed.url.endswith("put_document")
    assert failed.duration_ms > 0
    assert "invalid value" in failed.error
    assert line["error"] == failed.error
    assert {"organization_id", "connection_id", "provider", "method", "url", "status", "attempt", "duration_ms"} <= line.keys()
    assert (record.stage, record.external_id, record.fix_by) == ("push", order, "customer")
    assert office.sandbox.secret_key not in repr(calls) + repr(logs) + record.message
