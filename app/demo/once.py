"""`--once`: the main job and two-way sync from end to end, through the doors that users have, and seen at the providers with plain HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as quoted
from uuid import uuid4

from app.demo.addresses import Addresses
from app.demo.both_ways import BothWays
from app.demo.content import ORGANIZATIONS, SERVICEM8
from app.demo.graphql import APPROVE, CONNECTIONS, OPEN_QUOTES, QUOTE, GraphQL
from app.demo.http import get_json, post_json
from app.demo.settings import DemoRefused
from app.demo.steps import Steps
from app.demo.syncing import sync
from app.demo.waiting import wait_for

SIGNATURE = "Nina Novak"
FRESH_QUOTES = 5

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What ServiceM8 shows of the job that a quote is: its status, its lines and the notes on it."""

    status: str
    lines: frozenset[str]
    notes: tuple[str, ...]


def exercise(addresses: Addresses, steps: Steps) -> bool:
    """Do it, print one line of JSON with what was seen, and tell whether all of it happened."""
    seen: dict[str, Any] = {"ok": False}
    try:
        _Exercise(addresses, steps, seen).run()
        seen["ok"] = True
    except DemoRefused as problem:
        seen["problem"] = problem.message
    seen["seconds"] = round(steps.seconds, 1)
    print(json.dumps(seen, ensure_ascii=False), flush=True)
    return bool(seen["ok"])


class _Exercise:
    """One pass; `seen` collects what came of each step."""

    def __init__(self, addresses: Addresses, steps: Steps, seen: dict[str, Any]) -> None:
        self.addresses, self.steps, self.seen = addresses, steps, seen
        self.api = GraphQL(addresses)
        self.note = f"Seen by scripts/demo --once {uuid4().hex[:8]}"

    def run(self) -> None:
        with self.steps.step("Sync") as step:
            runs = self._sync()
            self.seen["sync"] = runs
            kept = sum(sum(run["records"].values()) for run in runs)
            step.said = f"{len(runs)} connections, {kept:,} records in step"
        with self.steps.step("Query") as step:
            quote = self._open_quote()
            step.said = f"quote {quote['number']} has {len(quote['lines'])} lines"
        with self.steps.step("Approve a part") as step:
            approved = quote["lines"][:-1]
            decision = self._approve(quote, approved)
            step.said = f"{len(approved)} of {len(quote['lines'])} lines"
        with self.steps.step("Look at ServiceM8") as step:
            self.seen["servicem8"] = self._look_until_it_shows(quote, approved)
            step.said = self.seen["servicem8"]["status"]
        self.seen["quote"] = {
            "number": quote["number"],
            "lines": len(quote["lines"]),
            "approved_lines": len(approved),
            "approved_total": decision["approvedTotal"],
            **self._quote_now(quote),
        }
        BothWays(self.addresses, self.api, self.steps, self.seen).run()

    def _sync(self) -> list[dict[str, Any]]:
        return [sync(self.api, connection) for connection in self.api.ask(CONNECTIONS)["connections"]["nodes"]]

    def _open_quote(self) -> Json:
        """A quote of ServiceM8 that can be approved in part; if none is left, the sandbox gets new ones, as if staff had written them."""
        if found := self._find_open_quote():
            return found
        post_json(f"{self.addresses.servicem8_sandbox_url}/_control/seed", {"kind": "jobs", "count": FRESH_QUOTES})
        self._sync()
        if found := self._find_open_quote():
            return found
        raise DemoRefused("No quote of ServiceM8 with two or more lines is open.")

    def _find_open_quote(self) -> Json | None:
        after: str | None = None
        while True:
            page = self.api.ask(OPEN_QUOTES, after=after)["quotes"]
            for quote in page["nodes"]:
                if quote["connection"]["provider"] == SERVICEM8 and len(quote["lines"]) >= 2:
                    return dict(quote)
            if not page["pageInfo"]["hasNextPage"]:
                return None
            after = page["pageInfo"]["endCursor"]

    def _approve(self, quote: Json, lines: list[Json]) -> Json:
        answer = self.api.ask(
            APPROVE,
            quote=quote["id"],
            version=quote["version"],
            lines=[line["id"] for line in lines],
            name=SIGNATURE,
            note=self.note,
            key=uuid4().hex,
        )["approveQuote"]
        if answer["__typename"] != "ApproveQuoteSuccess":
            raise DemoRefused(f"Quote {quote['number']} was not approved: {answer['message']}")
        if answer["decision"]["outcome"] != "PARTIALLY_APPROVED":
            raise DemoRefused(f"Quote {quote['number']} was approved in part and reads {answer['decision']['outcome']}.")
        return dict(answer["decision"])

    def _look_until_it_shows(self, quote: Json, approved: list[Json]) -> dict[str, Any]:
        """Status, lines and note, as the provider's own API tells them to anybody with a key."""
        wanted = {line["externalId"] for line in approved}

        def shows() -> Job | None:
            job = self._job(quote)
            done = job.status == "Work Order" and job.lines == wanted and any(self.note in note for note in job.notes)
            return job if done else None

        job = wait_for(shows, f"ServiceM8 does not show the decision on job {quote['number']}")
        [note] = [note for note in job.notes if self.note in note]
        return {"status": job.status, "lines": len(job.lines), "note": note}

    def _job(self, quote: Json) -> Job:
        uuid, key = quote["externalId"], _api_key(quote["connection"]["name"])
        job = self._provider(key, f"job/{uuid}.json")
        lines = self._provider(key, "jobmaterial.json", f"job_uuid eq '{uuid}'")
        notes = self._provider(key, "note.json", f"related_object_uuid eq '{uuid}'")
        active = frozenset(line["uuid"] for line in lines if str(line["active"]) == "1")
        return Job(job["status"], active, tuple(note["note"] for note in notes))

    def _provider(self, key: str, path: str, condition: str = "") -> Any:
        query = f"?%24filter={quoted(condition)}" if condition else ""
        return get_json(f"{self.addresses.servicem8_sandbox_url}/api_1.0/{path}{query}", {"X-API-Key": key})

    def _quote_now(self, quote: Json) -> dict[str, Any]:
        """The portal's truth: the hub knows that the provider has confirmed."""

        def confirmed() -> Json | None:
            now: Json = self.api.ask(QUOTE, id=quote["id"])["quote"]
            return now if now["delivery"] and now["delivery"]["status"] == "CONFIRMED" else None

        now = wait_for(confirmed, f"The hub does not say that quote {quote['number']} is confirmed")
        return {"status": now["status"], "delivery": now["delivery"]["status"]}


def _api_key(connection_name: str) -> str:
    keys = {connection.name: connection.credentials.get("api_key", "") for one in ORGANIZATIONS for connection in one.connections}
    return keys[connection_name]
