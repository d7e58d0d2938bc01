"""Connections are made, changed, deleted and restored."""

import asyncio
import secrets
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from app.actors import Role
from app.connections.service import ConnectionBusy, ConnectionChanged, ConnectionNameTaken
from app.connections.sessions import ConnectionNotFound, ConnectionUnusable
from app.connectors.errors import CredentialsRefused
from app.database import fetch, fetch_value
from app.encryption import CredentialsUnreadable, Vault
from app.errors import IdempotencyKeyReused, InvalidInput, PermissionDenied
from app.ids import new_id
from app.paging import PageRequest
from tests.factories import colleague, key, make_organization

SECRET = "smk-very-secret-0123456789-abcd"


async def everything_stored(scope):
    """All that an organization's rows say, as text."""
    tables = ("connection", "audit_entry", "idempotency_key", "provider_call", "event", "mail", "sync_run", "delivery")
    texts = [
        await fetch_value(
            scope,
            f"SELECT coalesce(string_agg(row_to_json({table})::text, ' '), '') FROM {table} WHERE organization_id = $1",
            scope.organization_id,
        )
        for table in tables
    ]
    return " ".join(texts)


async def test_a_connection_begins_untested(create):
    connection = await create(name="  Head   office ")

    assert (connection.name, connection.status, connection.version, connection.account) == ("Head office", "untested", 1, None)
    assert connection.settings["timeout_seconds"] == 30
    assert "api_key" not in connection.settings


@pytest.mark.requirement("SM8-83", "SM8-89")
async def test_credentials_are_sealed_and_never_come_back(hub, owner, create, sandbox):
    connection = await create(credentials={"api_key": SECRET}, idempotency_key=key())
    await hub.connections.test(owner, connection.id)
    await hub.connections.update(owner, connection.id, credentials={"api_key": SECRET + "x"}, idempotency_key=key())
    await hub.connections.test_settings(owner, "servicem8", {"base_url": sandbox.url}, {"api_key": SECRET}, mode="sandbox")

    stored = await everything_stored(owner.scope)
    shown = repr(await hub.connections.get(owner, connection.id)) + repr(await hub.connections.list(owner, PageRequest()))
    sealed = await fetch_value(owner.scope, "SELECT credentials FROM connection WHERE organization_id = $1", owner.organization_id)
    assert "very-secret" not in stored + shown
    assert b"very-secret" not in sealed
    assert hub.vault.open(sealed) == {"api_key": SECRET + "x"}
    assert (await hub.connections.get(owner, connection.id)).credential_hints["api_key"].last_four == "bcdx"


async def test_a_stolen_database_is_useless_without_the_master_key(hub, owner, create):
    connection = await create()
    sealed = await fetch_value(
        owner.scope, "SELECT credentials FROM connection WHERE id = $1 AND organization_id = $2", connection.id, owner.organization_id
    )

    with pytest.raises(CredentialsUnreadable):
        Vault([Fernet.generate_key().decode()]).open(sealed)


async def test_asking_twice_makes_one_connection(hub, owner, create):
    asked = key()

    first, second = await create(name="One", idempotency_key=asked), await create(name="One", idempotency_key=asked)

    assert first.id == second.id
    assert len((await hub.connections.list(owner, PageRequest())).items) == 1
    with pytest.raises(IdempotencyKeyReused):
        await create(name="One", credentials={"api_key": SECRET}, idempotency_key=asked)


async def test_ten_requests_with_one_key_at_once_make_one_connection(create):
    asked = key()

    made = await asyncio.gather(*(create(name="One", idempotency_key=asked) for _ in range(10)))

    assert len({connection.id for connection in made}) == 1


async def test_two_connections_cannot_have_one_name(hub, owner, create):
    await create(name="Office")
    other = await create(name="Other")

    with pytest.raises(ConnectionNameTaken):
        await create(name="OFFICE")
    with pytest.raises(ConnectionNameTaken):
        await hub.connections.update(owner, other.id, name="office")


async def test_what_was_not_given_stays(hub, owner, connection):
    changed = await hub.connections.update(owner, connection.id, settings={"timeout_seconds": 5})

    assert changed.settings == {**connection.settings, "timeout_seconds": 5}
    assert changed.credential_hints == connection.credential_hints
    assert (changed.name, changed.status, changed.version) == (connection.name, "active", 2)
    assert (await hub.connections.test(owner, connection.id)).ok


async def test_a_setting_of_none_returns_to_its_default(hub, owner, connection):
    changed = await hub.connections.update(owner, connection.id, settings={"delay_seconds": None})

    assert changed.settings["delay_seconds"] == 1


async def test_new_credentials_must_prove_themselves(hub, owner, connection):
    changed = await hub.connections.update(owner, connection.id, credentials={"api_key": SECRET})

    assert changed.status == "untested"
    with pytest.raises(ConnectionUnusable):
        async with hub.connections.open_session(owner.scope, connection.id):
            raise AssertionError("not reached")


async def test_kept_secrets_are_never_sent_to_a_new_address(hub, owner, connection, sandbox):
    elsewhere = {"base_url": sandbox.url.replace("127.0.0.1", "localhost")}

    for change in (
        hub.connections.update(owner, connection.id, settings=elsewhere),
        hub.connections.test_settings(owner, "servicem8", elsewhere, {}, connection_id=connection.id),
    ):
        with pytest.raises(InvalidInput) as refused:
            await change
        assert set(refused.value.fields) == {"api_key"}


async def test_of_two_who_change_a_connection_the_second_is_told(hub, owner, connection):
    await hub.connections.update(owner, connection.id, name="First", version=1)

    with pytest.raises(ConnectionChanged) as refused:
        await hub.connections.update(owner, connection.id, name="Second", version=1)

    assert refused.value.current_version == 2
    assert (await hub.connections.get(owner, connection.id)).name == "First"


async def test_a_disabled_connection_does_nothing_until_it_is_enabled(hub, owner, connection):
    disabled = await hub.connections.update(owner, connection.id, enabled=False)

    assert disabled.status == "disabled"
    with pytest.raises(ConnectionUnusable, match="disabled"):
        async with hub.connections.open_session(owner.scope, connection.id, priority="decision"):
            raise AssertionError("not reached")
    assert (await hub.connections.test(owner, connection.id)).ok
    assert (await hub.connections.get(owner, connection.id)).status == "disabled"
    assert (await hub.connections.update(owner, connection.id, enabled=True)).status == "active"


async def test_what_was_changed_while_disabled_must_prove_itself_when_enabled(hub, owner, connection, sandbox):
    await hub.connections.update(owner, connection.id, enabled=False)
    await hub.connections.update(owner, connection.id, credentials={"api_key": sandbox.api_key})

    enabled = await hub.connections.update(owner, connection.id, enabled=True)

    assert (enabled.status, enabled.tested_at) == ("untested", None)


async def test_disabling_a_connection_does_not_heal_it(hub, owner, connection, scope):
    await hub.connections.mark_needs_attention(scope, connection.id, CredentialsRefused())
    await hub.connections.update(owner, connection.id, enabled=False)

    assert (await hub.connections.update(owner, connection.id, enabled=True)).status == "untested"


async def test_a_deleted_connection_loses_its_credentials_and_keeps_its_logs(hub, owner, connection):
    deleted = await hub.connections.delete(owner, connection.id)
    await hub.connections.delete(owner, connection.id)

    sealed = await fetch_value(owner.scope, "SELECT credentials FROM connection WHERE organization_id = $1", owner.organization_id)
    assert deleted.deleted_at is not None
    assert hub.vault.open(sealed) == {}
    assert deleted.credential_hints == {}
    assert (await hub.connections.list(owner, PageRequest())).items == []
    assert [c.id for c in (await hub.connections.list(owner, PageRequest(), deleted=True)).items] == [connection.id]
    assert len((await hub.connections.provider_calls(owner, connection.id, PageRequest())).items) == 1
    for refused in (hub.connections.test(owner, connection.id), hub.connections.update(owner, connection.id, name="X")):
        with pytest.raises(ConnectionNotFound):
            await refused
    with pytest.raises(ConnectionUnusable, match="deleted"):
        async with hub.connections.open_session(owner.scope, connection.id):
            raise AssertionError("not reached")


async def test_a_restored_connection_needs_its_credentials_again(hub, owner, connection, sandbox):
    await hub.connections.delete(owner, connection.id)

    restored = await hub.connections.restore(owner, connection.id)
    assert "api_key" in (await hub.connections.test(owner, connection.id)).message
    await hub.connections.update(owner, connection.id, credentials={"api_key": sandbox.api_key})

    assert (restored.status, restored.deleted_at) == ("needs_attention", None)
    assert (await hub.connections.test(owner, connection.id)).ok
    assert (await hub.connections.get(owner, connection.id)).status == "active"


async def test_a_restored_connection_cannot_take_a_name_that_is_used_again(hub, owner, create):
    first = await create(name="Office")
    await hub.connections.delete(owner, first.id)
    await create(name="Office")

    with pytest.raises(ConnectionNameTaken):
        await hub.connections.restore(owner, first.id)


async def test_a_connection_is_not_deleted_under_a_running_sync(hub, owner, connection):
    run = await hub.syncs.start(owner, connection.id)

    with pytest.raises(ConnectionBusy):
        await hub.connections.delete(owner, connection.id)
    await hub.connections.delete(owner, connection.id, cancel_running=True)

    assert (await hub.syncs.run(owner, run.id)).status in {"cancelling", "cancelled"}


async def test_a_connection_is_deleted_while_its_sync_is_at_work(hub, owner, connection, sandbox):
    await sandbox.reset()
    await sandbox.seed("companies", 2000)
    run = await hub.syncs.start(owner, connection.id)

    work = asyncio.create_task(hub.syncs.advance(owner.organization_id, run.id))
    await asyncio.sleep(0.3)
    deleted = await hub.connections.delete(owner, connection.id, cancel_running=True)
    await work
    for _ in range(3):
        await hub.syncs.advance(owner.organization_id, run.id)

    assert deleted.deleted_at is not None
    assert not (await hub.syncs.run(owner, run.id)).status.is_active
    await sandbox.reset()


async def test_a_viewer_sees_connections_and_changes_none(hub, owner, create, connection):
    viewer = colleague(owner, Role.VIEWER)

    assert (await hub.connections.get(viewer, connection.id)).id == connection.id
    for refused in (
        create(actor=viewer),
        hub.connections.update(viewer, connection.id, name="X"),
        hub.connections.delete(viewer, connection.id),
        hub.connections.restore(viewer, connection.id),
        hub.connections.test(viewer, connection.id),
        hub.connections.test_settings(viewer, "servicem8", {}, {}),
    ):
        with pytest.raises(PermissionDenied):
            await refused


async def test_connections_of_another_organization_do_not_exist(hub, connection):
    stranger = await make_organization(hub)

    assert (await hub.connections.list(stranger, PageRequest())).items == []
    assert await hub.connections.get_many(stranger, [connection.id]) == []
    for refused in (
        hub.connections.get(stranger, connection.id),
        hub.connections.update(stranger, connection.id, name="X"),
        hub.connections.delete(stranger, connection.id),
        hub.connections.test(stranger, connection.id),
        hub.connections.get(stranger, new_id()),
    ):
        with pytest.raises(ConnectionNotFound):
            await refused


async def test_every_change_is_in_the_audit_log(hub, owner, connection):
    await hub.connections.update(owner, connection.id, name="Renamed", settings={"attempts": 2}, credentials={"api_key": SECRET})
    await hub.connections.delete(owner, connection.id)
    await hub.connections.restore(owner, connection.id)

    entries = (await hub.audit.entries(owner, PageRequest(), subject_id=connection.id)).items
    assert [entry.event for entry in entries] == [
        *("connection.restored", "connection.deleted", "connection.updated", "connection.tested", "connection.created"),
    ]
    assert entries[2].data == {"name": [connection.name, "Renamed"], "settings": {"attempts": [3, 2]}, "credentials": ["api_key"]}
    assert (entries[0].ip, entries[0].user_agent, entries[0].actor["name"]) == ("192.0.2.7", "pytest", "Olive Owner")
    assert (await hub.audit.verify(owner.organization_id)).ok


async def test_changes_are_told_to_subscribers_with_a_rising_revision(hub, owner, connection):
    await hub.connections.update(owner, connection.id, name="Renamed")

    rows = await fetch(
        owner.scope,
        "SELECT revision, data FROM event WHERE organization_id = $1 AND topic = 'connection' AND subject_id = $2 ORDER BY sequence",
        owner.organization_id,
        connection.id,
    )
    revisions = [row["revision"] for row in rows]
    assert revisions == sorted(set(revisions))
    assert [row["data"]["status"] for row in rows] == ["untested", "active", "active"]


async def test_all_credentials_move_to_a_new_master_key(hub, owner, create):
    new = Fernet.generate_key().decode()
    old = (hub.settings.data_dir / "master.key").read_text().strip()
    await create()
    await create()

    resealed = await replace(hub.connections, vault=Vault([new, old])).reseal(owner)

    rows = await fetch(owner.scope, "SELECT credentials FROM connection WHERE organization_id = $1", owner.organization_id)
    assert resealed == 2
    assert all(Vault([new]).open(row["credentials"])["api_key"] for row in rows)


async def test_pages_of_connections_follow_each_other(hub, owner, create):
    made = [(await create(name=f"C {secrets.token_hex(4)}")).id for _ in range(3)]

    first = await hub.connections.list(owner, PageRequest(2))
    second = await hub.connections.list(owner, PageRequest(2, first.cursors[-1]))

    assert [c.id for c in first.items] + [c.id for c in second.items] == made
    assert (first.has_next, second.has_next) == (True, False)
