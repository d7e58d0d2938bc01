"""Tests of connections: nothing counts as working without a real exchange."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from app.budget import RedisBudget
from app.connections.sessions import SessionFactory
from app.connectors.errors import CredentialsRefused
from app.connectors.guard import OutboundGuard
from app.connectors.servicem8.sandbox.config import AccountConfig, SandboxConfig
from app.connectors.servicem8.sandbox.testing import running_sandbox
from app.connectors.transport import GuardedTransport
from app.database import fetch
from app.errors import InvalidInput
from app.paging import PageRequest

PERTH = AccountConfig(api_keys=("smk-perth-key-1", "smk-perth-key-2"), name="Sandgroper Electrical")
LJUBLJANA = AccountConfig(
    api_keys=("smk-ljubljana-key",),
    uuid="5a2d8c10-0000-4000-8000-000000000002",
    name="Elektro Žarek",
    currency="EUR",
    timezone_name="Europe/Ljubljana",
)


@pytest.fixture(scope="module")
async def two_accounts(hub) -> AsyncIterator[object]:
    """A connection service of a deployment that registered a sandbox with two accounts, and that sandbox."""
    async with running_sandbox(SandboxConfig(accounts=(PERTH, LJUBLJANA), limits_factor=None)) as sandbox:
        urls = (sandbox.url, "http://127.0.0.1:9")
        transport = GuardedTransport(OutboundGuard((), urls))
        yield (
            replace(
                hub.connections,
                settings=replace(hub.settings, sandbox_urls=urls),
                sessions=SessionFactory(hub.connectors, hub.vault, transport, RedisBudget(hub.redis)),
            ),
            sandbox,
        )
        await transport.aclose()


@pytest.mark.requirement("SM8-83")
async def test_a_test_is_a_real_exchange_and_says_how_long_it_took(hub, owner, create, sandbox):
    connection = await create()
    before = len(await sandbox.requests("vendor"))

    result = await hub.connections.test(owner, connection.id)

    tested = await hub.connections.get(owner, connection.id)
    assert result.ok
    assert len(await sandbox.requests("vendor")) == before + 1
    assert result.message == f"ServiceM8 answered as Sandbox Electrical in {result.duration_ms:.0f} ms."
    assert 0 < result.duration_ms < 5000
    assert (tested.status, tested.account, tested.version) == ("active", result.account, connection.version)
    assert (tested.account.currency, tested.account.time_zone) == ("AUD", "Australia/Perth")
    assert tested.tested_at is not None


@pytest.mark.requirement("SM8-53", "SM8-86")
async def test_refused_credentials_are_said_plainly_and_not_tried_again(hub, owner, create, sandbox):
    connection = await create(credentials={"api_key": "smk-wrong-key-999"})
    before = len(await sandbox.requests("vendor"))

    with structlog.testing.capture_logs() as logs:
        result = await hub.connections.test(owner, connection.id)

    tested = await hub.connections.get(owner, connection.id)
    calls = (await hub.connections.provider_calls(owner, connection.id, PageRequest())).items
    assert (result.ok, result.code, result.fix_by) == (False, "credentials_refused", "customer")
    assert "does not accept the credentials" in result.message
    assert len(await sandbox.requests("vendor")) == before + 1
    assert (tested.status, tested.status_message) == ("needs_attention", result.message)
    assert "smk-wrong" not in repr((result, tested, calls, logs))


async def test_an_outage_blames_nobody_and_changes_nothing(hub, owner, connection, sandbox):
    await sandbox.fault("503", path="*/vendor.json", times=None)

    result = await hub.connections.test(owner, connection.id)

    assert (result.ok, result.code, result.fix_by) == (False, "provider_unavailable", "time")
    assert (await hub.connections.get(owner, connection.id)).status == "active"


async def test_a_connection_that_needed_attention_is_active_after_a_good_test(hub, owner, connection, scope):
    await hub.connections.mark_needs_attention(scope, connection.id, CredentialsRefused())
    assert (await hub.connections.get(owner, connection.id)).status == "needs_attention"

    await hub.connections.test(owner, connection.id)

    healed = await hub.connections.get(owner, connection.id)
    assert (healed.status, healed.status_message) == ("active", None)


async def test_settings_are_tried_before_they_are_saved(hub, owner, sandbox):
    good = await hub.connections.test_settings(owner, "servicem8", {"base_url": sandbox.url}, {"api_key": sandbox.api_key}, mode="sandbox")
    bad = await hub.connections.test_settings(owner, "servicem8", {"base_url": sandbox.url}, {"api_key": "smk-wrong-key"}, mode="sandbox")

    assert (good.ok, good.account.name) == (True, "Sandbox Electrical")
    assert (bad.ok, bad.code) == (False, "credentials_refused")
    assert (await hub.connections.list(owner, PageRequest())).items == []
    rows = await fetch(
        owner.scope, "SELECT status, connection_id FROM provider_call WHERE organization_id = $1 ORDER BY id", owner.organization_id
    )
    assert [(row["status"], row["connection_id"]) for row in rows] == [(200, None), (401, None)]
    events = [entry.event for entry in (await hub.audit.entries(owner, PageRequest())).items]
    assert events[:2] == ["connection.settings_tested"] * 2


async def test_changes_are_tried_with_the_secrets_that_are_kept(hub, owner, connection):
    result = await hub.connections.test_settings(owner, "servicem8", {"attempts": 1}, {}, connection_id=connection.id)

    assert result.ok
    assert (await hub.connections.get(owner, connection.id)).settings["attempts"] == 3


@pytest.mark.parametrize(
    ("mode", "url", "field"),
    [
        ("live", "{sandbox}", "base_url"),
        ("sandbox", "https://api.servicem8.com", "base_url"),
        ("sandbox", "http://127.0.0.1:5432", "base_url"),
        ("dress rehearsal", "{sandbox}", "mode"),
    ],
)
async def test_real_accounts_and_sandboxes_are_never_mixed(hub, owner, create, sandbox, mode, url, field):
    settings = {"base_url": url.format(sandbox=sandbox.url)}

    for refused in (
        create(mode=mode, settings=settings),
        hub.connections.test_settings(owner, "servicem8", settings, {"api_key": sandbox.api_key}, mode=mode),
    ):
        with pytest.raises(InvalidInput) as error:
            await refused
        assert set(error.value.fields) == {field}


@pytest.mark.parametrize(
    "url",
    [
        *("https://169.254.169.254", "https://127.0.0.1:5432", "http://127.0.0.1:6379", "https://[::1]", "https://[::ffff:127.0.0.1]"),
        *("https://localhost", "https://0.0.0.0", "https://2130706433", "https://0x7f.1"),
    ],
)
async def test_a_live_connection_cannot_look_around_in_our_network(hub, owner, url):
    result = await hub.connections.test_settings(owner, "servicem8", {"base_url": url, "attempts": 1}, {"api_key": "smk-0123456789"})

    assert (result.ok, result.code, result.fix_by) == (False, "address_refused", "customer")
    assert "5432" not in result.message


async def test_an_unknown_provider_is_refused_with_those_to_choose_from(hub, owner, create):
    with pytest.raises(InvalidInput, match="servicem8"):
        await create(provider="nobody")


async def test_another_account_cannot_take_over_a_connection(owner, two_accounts):
    connections, sandbox = two_accounts
    made = await connections.create(
        owner,
        provider="servicem8",
        name="Perth",
        mode="sandbox",
        settings={"base_url": sandbox.url},
        credentials={"api_key": "smk-perth-key-1"},
    )
    await connections.test(owner, made.id)

    await connections.update(owner, made.id, credentials={"api_key": "smk-ljubljana-key"})
    refused = await connections.test(owner, made.id)
    after_refusal = await connections.get(owner, made.id)
    await connections.update(owner, made.id, credentials={"api_key": "smk-perth-key-2"})
    same = await connections.test(owner, made.id)

    assert (refused.ok, refused.code, refused.fix_by) == (False, "another_account", "customer")
    assert "Elektro Žarek" in refused.message
    assert "Sandgroper Electrical" in refused.message
    assert (after_refusal.status, after_refusal.account.name) == ("needs_attention", "Sandgroper Electrical")
    assert same.ok
    assert (await connections.get(owner, made.id)).status == "active"


@pytest.mark.parametrize("change", [{"currency": "NZD"}, {"timezone_name": "Australia/Sydney"}])
async def test_an_account_that_changes_its_currency_or_zone_is_refused(owner, two_accounts, change):
    connections, sandbox = two_accounts
    made = await connections.create(
        owner,
        provider="servicem8",
        name="Perth",
        mode="sandbox",
        settings={"base_url": sandbox.url},
        credentials={"api_key": "smk-perth-key-1"},
    )
    await connections.test(owner, made.id)

    before = (await sandbox.records("vendor"))[0]
    await sandbox.edit("vendor", before["uuid"], **change)
    result = await connections.test(owner, made.id)
    await sandbox.edit("vendor", before["uuid"], **{name: before[name] for name in change})

    assert (result.ok, result.code) == (False, "another_account")
    assert "new connection" in result.message


async def test_an_address_where_nobody_listens_is_an_outage(owner, two_accounts):
    connections, _ = two_accounts

    result = await connections.test_settings(
        owner, "servicem8", {"base_url": "http://127.0.0.1:9", "attempts": 1}, {"api_key": "smk-perth-key-1"}, mode="sandbox"
    )

    assert (result.ok, result.code, result.fix_by) == (False, "provider_unavailable", "time")


async def test_what_waits_for_a_connection_is_sent_when_it_works_again(hub, owner, connection, scope):
    hurried = []

    async def hurry(of_scope, connection_id):
        hurried.append((of_scope, connection_id))

    connections = replace(hub.connections, hurry=hurry)
    await connections.mark_needs_attention(scope, connection.id, CredentialsRefused())
    assert hurried == []

    await connections.test(owner, connection.id)

    assert hurried == [(scope, connection.id)]
