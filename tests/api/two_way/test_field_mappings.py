"""How streams are translated."""

import pytest

from app.api.ids import parse
from app.bootstrap import Hub
from tests.api.client import GraphQLClient, gid
from tests.api.operations import run
from tests.api.two_way.steps import Company
from tests.factories import key


async def test_a_field_mapping_is_tried_saved_published_and_taken_back(operator_api: GraphQLClient, companies: Company):
    of_stream = {"connectionId": gid("Connection", companies.connection.id), "stream": "companies"}
    default = await run(operator_api, "field_mapping", **of_stream)
    rows = [{name: value for name, value in row.items() if name != "__typename"} for row in default["rows"]]
    rows = [row | {"path": "uuid"} if row["target"] == "website" else row for row in rows]

    [tried, *_] = await run(operator_api, "field_mapping_preview", **of_stream, rows=rows)
    wrong = await run(
        operator_api, "save_field_mapping", **of_stream, rows=[*rows, rows[0] | {"target": "shoe_size"}], idempotencyKey=key()
    )
    saved = await run(operator_api, "save_field_mapping", **of_stream, rows=rows, note="By hand", idempotencyKey="save")
    repeated = await run(operator_api, "save_field_mapping", **of_stream, rows=rows, note="By hand", idempotencyKey="save")
    published = await run(operator_api, "publish_field_mapping", **of_stream, version=1, idempotencyKey=key())
    [change] = await run(operator_api, "field_mapping_changes", **of_stream, before=0, after=1)
    counts = await run(operator_api, "field_mapping", **of_stream)
    back = await run(operator_api, "roll_back_field_mapping", **of_stream, version=0, idempotencyKey=key())
    retired = await run(operator_api, "publish_field_mapping", **of_stream, version=1, idempotencyKey=key())
    [version] = await run(operator_api, "field_mapping_versions", **of_stream)

    assert default["version"] == 0
    assert [(field["field"], field["before"]) for field in tried["changes"]] == [("website", "https://both.test")]
    assert wrong["__typename"] == "InvalidInput"
    assert (saved["fieldMapping"]["version"], saved["fieldMapping"]["publishedAt"]) == (1, None)
    assert repeated == saved
    assert (published["records"], counts["version"]) == (3, 1)
    assert (change["target"], change["differs"], change["after"]["path"]) == ("website", ["path"], "uuid")
    assert back["fieldMapping"]["version"] == 0
    assert retired["__typename"] == "FieldMappingRetired"
    assert (version["note"], version["createdBy"]) == ("By hand", "A token for operator")


async def test_rows_are_counted_on_what_was_read_and_what_nobody_maps_is_found(operator_api: GraphQLClient, companies: Company):
    of_stream = {"connectionId": gid("Connection", companies.connection.id), "stream": "companies"}
    rows = [{"target": "name", "path": "name", "transforms": [["text", "3"]], "required": True}]

    tested = await run(operator_api, "field_mapping_back_test", **of_stream, rows=rows)
    unmapped = await run(operator_api, "unmapped_fields", **of_stream)

    assert (tested["examined"], tested["failing"] + tested["changed"]) == (3, 3)
    assert tested["examples"][0]["error"]
    assert {field["path"] for field in unmapped} >= {"uuid"}


@pytest.mark.requirement("MKC-04")
async def test_a_published_mapping_is_applied_to_what_was_read_before_by_a_remap(
    hub: Hub, operator_api: GraphQLClient, companies: Company
) -> None:  # fmt: skip
    of_stream = {"connectionId": gid("Connection", companies.connection.id), "stream": "companies"}
    default = await run(operator_api, "field_mapping", **of_stream)
    rows = [{name: value for name, value in row.items() if name != "__typename"} for row in default["rows"]]
    rows = [row | {"path": "uuid"} if row["target"] == "website" else row for row in rows]
    await run(operator_api, "save_field_mapping", **of_stream, rows=rows, idempotencyKey=key())
    published = await run(operator_api, "publish_field_mapping", **of_stream, version=1, idempotencyKey=key())

    remap = {"connectionId": of_stream["connectionId"], "streams": ["companies"], "mode": "REMAP"}
    started = await run(operator_api, "start_sync", **remap, idempotencyKey=key())
    await hub.syncs.advance(companies.connection.organization_id, parse(started["run"]["id"])[1])
    ended = await run(operator_api, "sync_run", id=started["run"]["id"])
    refused = await run(operator_api, "start_sync", **remap | {"direction": "PUSH"}, idempotencyKey=key())

    assert (ended["status"], published["records"]) == ("COMPLETED", 3)
    assert refused["__typename"] == "InvalidInput"
