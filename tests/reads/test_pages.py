"""Pages follow their cursors in either direction, at any depth, and can be counted, compiled or not."""

from typing import Any

import pytest

from tests.api.client import gid
from tests.reads.asking import Town
from tests.reads.documents import Drawn

FIELDS = ("quotes", "jobs", "syncRuns")


async def _walk(town: Town, field: str, order: str, compiled: bool) -> list[str]:
    """All ids of a list, three at a time."""
    found: list[str] = []
    after: str | None = None
    while True:
        selection = "nodes { id } pageInfo { hasNextPage endCursor }"
        query = f"query ($after: String) {{ {field}(first: 3, order: {order}, after: $after) {{ {selection} }} }}"
        answer, _ = await town.answer(Drawn(query, {"after": after}), town.here.owner, compiled=compiled)
        page = answer["data"][field]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("field", FIELDS)
async def test_a_list_read_from_its_other_end_is_the_same_list_turned_round(town: Town, field: str, compiled: bool):
    newest, oldest = [await _walk(town, field, order, compiled) for order in ("NEWEST_FIRST", "OLDEST_FIRST")]

    assert newest == oldest[::-1]
    assert len(set(newest)) == len(newest) > 6


@pytest.mark.parametrize("compiled", [True, False])
async def test_a_page_inside_a_page_has_its_own_cursor_and_count(town: Town, compiled: bool):
    connection = max(town.here.ids("connection"), key=lambda id: sum(run["connection_id"] == id for run in town.here.rows["sync_run"]))
    runs = sorted((run["id"] for run in town.here.rows["sync_run"] if run["connection_id"] == connection), reverse=True)
    page = "totalCount nodes { id } pageInfo { hasNextPage endCursor }"
    query = f"query ($id: ID!, $after: String) {{ connection(id: $id) {{ syncRuns(first: 2, after: $after) {{ {page} }} }} }}"

    async def ask(after: str | None) -> Any:
        variables = {"id": gid("Connection", connection), "after": after}
        answer, _ = await town.answer(Drawn(query, variables), town.here.owner, compiled=compiled)
        return answer["data"]["connection"]["syncRuns"]

    first = await ask(None)
    second = await ask(first["pageInfo"]["endCursor"])

    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (len(runs), len(runs) > 2)
    assert [node["id"] for node in first["nodes"] + second["nodes"]] == [gid("SyncRun", id) for id in runs[:4]]
