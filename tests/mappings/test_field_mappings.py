"""Field mappings as versioned data, on objects that were read from a sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.actors import Actor, Scope
from app.bootstrap import Hub
from app.connections.models import Connection
from app.connectors.base import FieldRow
from app.connectors.servicem8.fields import COMPANY_FIELDS
from app.connectors.servicem8.sandbox.testing import RunningSandbox
from app.database import execute, transaction
from app.errors import InvalidInput, NotFound, PermissionDenied
from app.ids import new_id
from app.mappings.field_mappings import FieldMappingNotFound, FieldMappingRetired, FieldMappingService
from app.mappings.field_rules import read_rows
from app.mappings.mapped_streams import FieldMappingUnusable
from app.paging import PageRequest
from tests.factories import colleague, key, make_connection, make_organization, sync

ALL = PageRequest(100)
DEFAULT = COMPANY_FIELDS.rows


def with_row(*rows: FieldRow) -> tuple[FieldRow, ...]:
    """The connector's rows, with these in place of those for the same targets."""
    targets = {row.target for row in rows}
    return (*(row for row in DEFAULT if row.target not in targets), *rows)


COUNTRY = with_row(FieldRow("address.country", "address_country", (("country",),)), FieldRow("notes", "badge", (("trim",),)))


@dataclass(frozen=True)
class World:
    """A connection with three companies that were read."""

    hub: Hub
    service: FieldMappingService
    owner: Actor
    connection: Connection
    sandbox: RunningSandbox

    @property
    def stream(self) -> tuple[Actor, object, str]:
        return self.owner, self.connection.id, "companies"

    async def contacts(self) -> list[dict[str, Any]]:
        return [contact.data for contact in (await self.hub.records.contacts(self.owner, ALL, connection_id=self.connection.id)).items]

    async def remap(self) -> int:
        """Translate what is stored again; how many records changed."""
        return (await sync(self.hub, self.owner, self.connection, streams=["companies"], mode="remap")).counts.updated


@pytest.fixture
async def world(hub: Hub, owner: Actor, sandbox: RunningSandbox) -> World:
    await sandbox.reset()
    for name, country in (("Acme", "Slovenia"), ("Bolt", "Croatia"), ("Coil", "Ruritania")):
        company = await sandbox.create("company", name=name, address_country=country, badge=f" {name} badge ", customfield_po="PO-1")
        await sandbox.create("companycontact", company_uuid=company["uuid"], first="Ann", last=name, email="ann@x.test", type="BILLING")
    connection = await make_connection(hub, owner, sandbox)
    await sync(hub, owner, connection, streams=["companies"])
    return World(hub, FieldMappingService(hub.connectors, hub.audit), owner, connection, sandbox)


async def test_without_a_published_version_the_connectors_own_rows_count(world):
    version = await world.service.effective(*world.stream)

    assert (version.version, version.rows, version.published_at) == (0, DEFAULT, None)


@pytest.mark.requirement("MKC-04")
async def test_a_saved_version_counts_once_it_is_published_and_stored_objects_are_translated_by_it(world):
    saved = await world.service.save(*world.stream, COUNTRY, note="Countries as codes")
    assert (saved.version, saved.rows, saved.note, saved.created_by, saved.published_at) == (
        1,
        COUNTRY,
        "Countries as codes",
        world.owner.name,
        None,
    )
    assert (await world.service.effective(*world.stream)).version == 0

    publication = await world.service.publish(*world.stream, saved.version)

    assert (publication.version.version, publication.records) == (1, 3)
    assert (await world.service.effective(*world.stream)).version == 1
    requests = len(await world.sandbox.requests())
    assert await world.remap() == 3
    assert await world.remap() == 0
    assert len(await world.sandbox.requests()) == requests
    assert {(data["address"]["country"], data["notes"]) for data in await world.contacts()} == {
        ("SI", "Acme badge"),
        ("HR", "Bolt badge"),
        ("Ruritania", "Coil badge"),
    }


async def test_what_was_published_can_be_rolled_back_to_an_older_version_and_to_the_connectors_own(world):
    for rows in (COUNTRY, with_row(FieldRow("notes", "badge"))):
        version = await world.service.save(*world.stream, rows)
        await world.service.publish(*world.stream, version.version)

    again = await world.service.roll_back(*world.stream, 1)

    assert (again.version.version, again.version.rows, again.version.note) == (3, COUNTRY, "Version 1 again")
    assert (await world.service.effective(*world.stream)).version == 3
    with pytest.raises(FieldMappingRetired):
        await world.service.publish(*world.stream, 2)
    assert (await world.service.roll_back(*world.stream, 0)).version.version == 0
    assert (await world.service.effective(*world.stream)).version == 0
    page = await world.service.versions(*world.stream, PageRequest(2))
    assert ([version.version for version in page.items], page.has_next) == ([3, 2], True)
    assert all(version.retired_at for version in page.items)


async def test_versions_of_the_same_content_translate_under_the_same_number_and_others_under_another(world):
    translator = world.service.streams.translator
    where = (world.owner.scope, world.connection.id, "companies")
    default = await translator(*where)
    assert await translator(*where) is default

    numbers = [default.version]
    for rows in (COUNTRY, DEFAULT):
        version = await world.service.save(*world.stream, rows)
        await world.service.publish(*world.stream, version.version)
        numbers.append((await translator(*where)).version)

    assert numbers[0] == numbers[2] != numbers[1]


async def test_a_version_tells_row_by_row_what_it_changes(world):
    await world.service.save(*world.stream, COUNTRY)

    changes = {change.target: change for change in await world.service.diff(*world.stream, 0, 1)}

    assert set(changes) == {"address.country", "notes"}
    assert changes["address.country"].differs == ("transforms",)
    assert (changes["notes"].before, changes["notes"].after.path) == (None, "badge")
    assert [change.after for change in await world.service.diff(*world.stream, 1, 0) if change.target == "notes"] == [None]
    assert await world.service.diff(*world.stream, 1, 1) == []


async def test_a_preview_shows_each_record_before_and_after(world):
    previews = await world.service.preview(*world.stream, COUNTRY)

    by_notes = {next(change.after for change in one.changes if change.field == "notes"): one for one in previews}
    assert set(by_notes) == {"Acme badge", "Bolt badge", "Coil badge"}
    assert [(change.field, change.before, change.after) for change in by_notes["Acme badge"].changes] == [
        ("address", {"country": "Slovenia"}, {"country": "SI"}),
        ("notes", None, "Acme badge"),
    ]
    only = await world.service.preview(*world.stream, COUNTRY, external_ids=[previews[0].external_id, "\x00"])
    assert [one.external_id for one in only] == [previews[0].external_id]


async def test_a_back_test_counts_what_would_change_fail_and_heal(world):
    # Two companies cannot be taken over as they are, because of their names' length; one of them is known already.
    known = (await world.sandbox.records("company", name="Bolt"))[0]
    await world.sandbox.edit("company", known["uuid"], name="B" * 101)
    await world.sandbox.create("company", name="D" * 101)
    await sync(world.hub, world.owner, world.connection, streams=["companies"])
    rows = with_row(
        FieldRow("name", "name", (("trim",), ("text", "200")), required=True),
        FieldRow("address.country", "address_country", (("enum", "Slovenia=SI", "=", "Croatia=HR"),)),
    )

    tested = await world.service.back_test(*world.stream, rows)

    assert (tested.examined, tested.healed, tested.changed, tested.failing, tested.still_failing) == (4, 2, 1, 1, 0)
    assert tested.fields == {"address": 1}
    assert tested.examples[0].error == "address.country: 'Ruritania' is not one of 'Slovenia', '', 'Croatia'."
    unchanged = await world.service.back_test(*world.stream, DEFAULT)
    assert (unchanged.unchanged, unchanged.still_failing) == (2, 2)


async def test_fields_that_no_row_reads_are_found_with_an_example(world):
    long = "x" * 200
    await world.sandbox.create("company", name="Long", customfield_po=long, badge="b")
    await sync(world.hub, world.owner, world.connection, streams=["companies"])

    found = {field.path: field for field in await world.service.discovered(*world.stream)}

    assert (found["badge"].seen, found["badge"].example.strip().endswith("badge") or found["badge"].example == "b") == (4, True)
    assert (found["customfield_po"].seen, found["customfield_po"].is_kept, found["badge"].is_kept) == (4, True, False)
    assert len(found["customfield_po"].example) <= 80
    assert "contacts[].first" in found
    assert not {"name", "address_country", "contacts[].email"} & set(found)


@pytest.mark.parametrize(
    ("rows", "field", "words"),
    [
        ((), "rows", "1 to 500 rows"),
        ((FieldRow("email", "email"),), "rows", "A contact cannot be without name"),
        (with_row(FieldRow("people[].external_id", "contacts[].uuid", (("shout",),))), "rows.21", "no transform"),
        (with_row(FieldRow("colour", "colour")), "rows.22", "colour: there is no such field"),
        (with_row(FieldRow("notes", "badge[")), "rows.22", "cannot be read"),
        (with_row(FieldRow("notes", "[[@,@],[@,@]]")), "rows.22", "more than 2 lists"),
        (with_row(FieldRow("is_customer", "c", default="perhaps")), "rows.22", "default 'perhaps'"),
        (with_row(FieldRow("notes", "badge", (("json_list",),), direction="both")), "rows.22", "none of the values that were tried"),
        (with_row(FieldRow("name", "name", (("number",), ("text", "9")), direction="both")), "rows.21", "name: what is written comes back"),
        (with_row(FieldRow("notes", "badge", default="a\x00b")), "rows", "cannot be stored"),
        (tuple(row for row in DEFAULT if row.target != "people[].external_id"), "rows", r"without people\[\]\.external_id"),
    ],
)  # fmt: skip
async def test_rows_that_cannot_be_used_are_refused_with_their_place(world, rows, field, words):
    await world.sandbox.create("company", name="1E+3")
    await sync(world.hub, world.owner, world.connection, streams=["companies"])

    with pytest.raises(InvalidInput, match=words) as refused:
        await world.service.save(*world.stream, rows)

    assert field in refused.value.fields
    assert (await world.service.versions(*world.stream, ALL)).items == []


async def test_everything_that_is_wrong_is_told_at_once(world):
    rows = with_row(FieldRow("colour", "colour"), FieldRow("notes", "badge", (("shout",),)))

    with pytest.raises(InvalidInput) as refused:
        await world.service.save(*world.stream, rows, note="x" * 1001)

    assert set(refused.value.fields) == {"rows.22", "rows.23", "note"}


async def test_rows_come_from_json_and_what_is_no_row_is_named(world):
    (row,) = read_rows([{"target": "name", "path": "name", "transforms": [["trim"], ["text", "10"]], "required": True}])

    assert row == FieldRow("name", "name", (("trim",), ("text", "10")), required=True)
    with pytest.raises(InvalidInput) as refused:
        read_rows(
            [{"target": "name", "path": "n"}, {"target": "name"}, {"target": "n", "path": "n", "requred": True}, {"target": "n", "path": 1}]
        )
    assert set(refused.value.fields) == {"rows.1", "rows.2", "rows.3"}


async def test_the_same_request_saves_and_publishes_once(world):
    save, publish = key(), key()

    versions = [(await world.service.save(*world.stream, COUNTRY, idempotency_key=save)).version for _ in range(2)]
    for _ in range(2):
        await world.service.publish(*world.stream, 1, idempotency_key=publish)
    backs = [(await world.service.roll_back(*world.stream, 1, idempotency_key=save + "b")).version.version for _ in range(2)]

    assert (versions, backs) == ([1, 1], [2, 2])
    events = [entry.event for entry in (await world.hub.audit.entries(world.owner, ALL, subject_id=world.connection.id)).items]
    assert [event for event in events if event.startswith("field_mapping.")] == [
        "field_mapping.published", "field_mapping.published", "field_mapping.saved"
    ]  # fmt: skip


async def test_what_is_published_is_in_the_audit_log_with_what_it_replaces(world):
    await world.service.save(*world.stream, COUNTRY)
    await world.service.publish(*world.stream, 1)

    entry = (await world.hub.audit.entries(world.owner, ALL, subject_id=world.connection.id)).items[0]

    assert (entry.event, entry.data) == ("field_mapping.published", {"stream": "companies", "version": 1, "replaces": 0})


async def test_a_view_of_a_stream_shares_its_field_mapping(world):
    jobs = world.hub.connectors["servicem8"].streams["jobs"].fields.rows
    saved = await world.service.save(world.owner, world.connection.id, "quotes", (*jobs, FieldRow("custom.badge", "badge")))

    assert (saved.stream, saved.version) == ("jobs", 1)
    assert await world.service.version(world.owner, world.connection.id, "jobs", 1) == saved


async def test_a_published_version_that_a_later_connector_cannot_use_says_so_and_can_be_replaced(world):
    await world.service.save(*world.stream, COUNTRY)
    await world.service.publish(*world.stream, 1)
    async with transaction(world.owner.scope):
        await execute(
            world.owner.scope,
            "UPDATE field_mapping SET rows = $2 WHERE organization_id = $1",
            world.owner.organization_id,
            [{"target": "name", "path": "name", "transforms": [["gone"]]}],
        )

    with pytest.raises(FieldMappingUnusable, match="no transform 'gone'"):
        await world.service.streams.translator(world.owner.scope, world.connection.id, "companies")
    tested = await world.service.back_test(*world.stream, DEFAULT)
    assert (tested.healed, tested.examined) == (3, 3)
    await world.service.roll_back(*world.stream, 0)
    assert await world.service.streams.translator(world.owner.scope, world.connection.id, "companies")


async def test_who_may_only_read_cannot_change_and_contacts_of_clients_see_nothing(world):
    viewer = colleague(world.owner, "viewer")
    contact = replace(colleague(world.owner, "client_contact"), scope=Scope(world.owner.organization_id, new_id()))
    await world.service.save(*world.stream, COUNTRY)

    assert (await world.service.effective(viewer, world.connection.id, "companies")).version == 0
    assert await world.service.preview(viewer, world.connection.id, "companies", COUNTRY)
    for actor, calls in ((viewer, changes(world, viewer)), (contact, [*changes(world, contact), *reads(world, contact)])):
        for call in calls:
            with pytest.raises(PermissionDenied):
                await call
        assert actor.role


async def test_another_organization_finds_nothing(world):
    await world.service.save(*world.stream, COUNTRY)
    stranger = await make_organization(world.hub, "Stranger")

    for call in [*changes(world, stranger), *reads(world, stranger)]:
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotFound):
        await world.service.streams.translator(stranger.scope, world.connection.id, "companies")


def changes(world: World, actor: Actor) -> Sequence[object]:
    service, where = world.service, (actor, world.connection.id, "companies")
    return [service.save(*where, COUNTRY), service.publish(*where, 1), service.roll_back(*where, 1), service.roll_back(*where, 0)]


def reads(world: World, actor: Actor) -> Sequence[object]:
    service, where = world.service, (actor, world.connection.id, "companies")
    looks = [service.effective(*where), service.version(*where, 0), service.versions(*where, ALL), service.diff(*where, 0, 1)]
    return [*looks, service.preview(*where, COUNTRY), service.back_test(*where, COUNTRY), service.discovered(*where)]


@pytest.mark.parametrize("version", [9, -1, 2**40])
async def test_a_version_that_does_not_exist_is_not_found(world, version):
    with pytest.raises(FieldMappingNotFound):
        await world.service.version(*world.stream, version)
    with pytest.raises(FieldMappingNotFound):
        await world.service.publish(*world.stream, version)


async def test_an_unknown_stream_and_too_large_questions_are_refused(world):
    with pytest.raises(InvalidInput, match="companies"):
        await world.service.effective(world.owner, world.connection.id, "clouds")
    with pytest.raises(InvalidInput, match="1 to 50"):
        await world.service.preview(*world.stream, COUNTRY, first=51)
    with pytest.raises(InvalidInput, match="1 to 2000"):
        await world.service.back_test(*world.stream, COUNTRY, last=0)
