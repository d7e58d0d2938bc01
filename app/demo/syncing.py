"""Syncs through the GraphQL API, watched to their end."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from app.demo.content import DIRECTIONS
from app.demo.graphql import START_SYNC, SYNC_RUN, SYNC_STATUS, GraphQL
from app.demo.settings import DemoRefused
from app.demo.waiting import wait_for

GOOD_ENDS = ("COMPLETED", "PARTIALLY_COMPLETED")
UNENDED = ("QUEUED", "RUNNING", "CANCELLING")

Json = Mapping[str, Any]


def sync(api: GraphQL, connection: Json, streams: Sequence[str] | None = None) -> dict[str, Any]:
    """What came of a run of these streams, or of all, in the connection's direction. Raises DemoRefused where it ended badly."""
    name, direction = connection["name"], DIRECTIONS[connection["provider"]].upper()
    answer = api.ask(START_SYNC, connection=connection["id"], streams=streams, direction=direction, key=uuid4().hex)["startSync"]
    started = answer.get("run") or answer.get("existingRun")
    if not started:
        raise DemoRefused(f"The sync of {name} did not start: {answer['message']}")

    def ended() -> Json | None:
        run: Json = api.ask(SYNC_RUN, id=started["id"])["syncRun"]
        return run if run["status"] not in UNENDED else None

    run = wait_for(ended, f"The sync of {name} did not end")
    if run["status"] not in GOOD_ENDS:
        raise DemoRefused(f"The sync of {name} ended as {run['status']}: {run['message']}")
    return {"connection": name, "status": run["status"], "records": _records(api, connection), **run["counts"]}


def _records(api: GraphQL, connection: Json) -> dict[str, int]:
    """How many records the hub has from each stream; quotes are left out where they are a view of jobs."""
    streams = api.ask(SYNC_STATUS, connection=connection["id"])["syncStatus"]
    return {stream["stream"]: stream["records"] for stream in streams if stream["stream"] != "quotes"}
