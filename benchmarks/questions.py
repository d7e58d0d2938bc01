"""The three reads, as each of the three is asked: the hub's GraphQL API, the hand-written route, PostGraphile."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from strawberry.relay import GlobalID

QUOTES, CONNECTIONS, RUNS = 50, 20, 5

_LINE = "id description quantity unitPrice { amount } total { amount } decision"
_QUOTE = f"id number title status total {{ amount currency }} lines {{ {_LINE} }}"
_THEIR_LINES = "quoteLinesByOrganizationIdAndQuoteIdList(orderBy: POSITION_ASC)"
_THEIR_QUOTE = f"rowId number title status total currency lines: {_THEIR_LINES} {{ rowId description quantity unitPrice total decision }}"
_THEIR_RUNS = "syncRunsByOrganizationIdAndConnectionIdList(first: $runs, orderBy: ROW_ID_DESC)"


@dataclass(frozen=True)
class Question:
    """One read. `requests` are whole HTTP requests by subject; a token stands in for `{token}`."""

    title: str
    requests: dict[str, str]


def questions(organization_id: object, quote_id: object) -> list[Question]:
    gid = str(GlobalID("Quote", str(quote_id)))
    return [
        Question(
            f"{QUOTES} quotes with 5 lines",
            {
                "api": _post(f"query Q($first: Int!) {{ quotes(first: $first) {{ nodes {{ {_QUOTE} }} }} }}", first=QUOTES),
                "route": _get(f"/benchmark/quotes?first={QUOTES}"),
                "postgraphile": _post(
                    f"query Q($first: Int!) {{ quotes(first: $first, orderBy: ROW_ID_DESC) {{ nodes {{ {_THEIR_QUOTE} }} }} }}",
                    first=QUOTES,
                ),
            },
        ),
        Question(
            "one quote with its lines",
            {
                "api": _post(f"query Q($id: ID!) {{ quote(id: $id) {{ {_QUOTE} }} }}", id=gid),
                "route": _get(f"/benchmark/quotes/{gid}"),
                "postgraphile": _post(
                    f"query Q($of: UUID!, $id: UUID!) {{ quote(organizationId: $of, rowId: $id) {{ {_THEIR_QUOTE} }} }}",
                    of=str(organization_id),
                    id=str(quote_id),
                ),
            },
        ),
        Question(
            f"{CONNECTIONS} connections with {RUNS} runs",
            {
                "api": _post(
                    """query Q($first: Int!, $runs: Int!) { connections(first: $first) { nodes { id name status
                        latestRuns(first: $runs) { id status progress startedAt finishedAt } } } }""",
                    first=CONNECTIONS,
                    runs=RUNS,
                ),
                "route": _get(f"/benchmark/connections?first={CONNECTIONS}&runs={RUNS}"),
                "postgraphile": _post(
                    f"""query Q($first: Int!, $runs: Int!) {{
                        connections(first: $first, orderBy: ROW_ID_ASC, condition: {{ deletedAt: null }}) {{
                            nodes {{ rowId name status latestRuns: {_THEIR_RUNS} {{ rowId status progress startedAt finishedAt }} }}
                        }} }}""",
                    first=CONNECTIONS,
                    runs=RUNS,
                ),
            },
        ),
    ]


def _post(query: str, **variables: object) -> str:
    body = json.dumps({"query": query, "variables": variables})
    return f"POST /graphql HTTP/1.1\r\n{_HEAD}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"


def _get(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\n{_HEAD}\r\n"


_HEAD = "host: 127.0.0.1\r\naccept: application/json\r\nauthorization: Bearer {token}\r\n"


def in_our_words(answer: dict[str, Any]) -> dict[str, Any]:
    """PostGraphile's answer in the API's shape. It knows no expiry: an expired quote is as open to it as its row says."""
    [(name, found)] = answer["data"].items()
    convert = _our_connection if name == "connections" else _our_quote
    ours = {"nodes": [convert(node) for node in found["nodes"]]} if "nodes" in found else convert(found)
    return {"data": {name: ours}}


def _our_quote(quote: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(GlobalID("Quote", quote["rowId"])),
        "number": quote["number"],
        "title": quote["title"],
        "status": quote["status"].upper(),
        "total": {"amount": quote["total"], "currency": quote["currency"]},
        "lines": [
            {
                "id": str(GlobalID("QuoteLine", line["rowId"])),
                "description": line["description"],
                "quantity": line["quantity"],
                "unitPrice": {"amount": line["unitPrice"]},
                "total": {"amount": line["total"]},
                "decision": line["decision"].upper(),
            }
            for line in quote["lines"]
        ],
    }


def _our_connection(connection: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(GlobalID("Connection", connection["rowId"])),
        "name": connection["name"],
        "status": connection["status"].upper(),
        "latestRuns": [
            {
                "id": str(GlobalID("SyncRun", run["rowId"])),
                "status": run["status"].upper(),
                "progress": float(run["progress"]),
                "startedAt": _in_utc(run["startedAt"]),
                "finishedAt": _in_utc(run["finishedAt"]),
            }
            for run in connection["latestRuns"]
        ],
    }


def _in_utc(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
