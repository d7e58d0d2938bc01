"""Changes an answer into one that a sound provider would not give: what a reader must survive without storing nonsense."""

from dataclasses import replace

import orjson

from app.connectors.sandbox_kit.delivery import Answer

from .faults import Fault, FaultKind
from .table import Values

AMOUNTS = ("total_invoice_amount", "price", "displayed_amount", "quantity", "cost", "amount")
TEXTS = ("name", "first", "note", "job_description", "job_address")
LONG = "long " * 20_000


def damaged(answer: Answer, fault: Fault, cursor: str | None) -> Answer:
    """The answer after this fault; `cursor` is the one that the request came with."""
    if answer.status != 200:
        return answer
    if fault.kind is FaultKind.MALFORMED_JSON:
        return replace(answer, body=answer.body[: len(answer.body) // 2] + b'{"uuid": oops]')
    if fault.kind is FaultKind.TRUNCATED_ARRAY:
        return replace(answer, body=answer.body[: len(answer.body) * 2 // 3])
    if fault.kind is FaultKind.REPEAT_PAGE:
        return answer.with_headers(x_next_cursor=cursor) if cursor else answer
    return replace(answer, body=_with_damaged_records(answer.body, fault))


def _with_damaged_records(body: bytes, fault: Fault) -> bytes:
    content = orjson.loads(body)
    if isinstance(content, dict):
        return orjson.dumps(_damaged_record(content, fault.kind))
    first, rest = content[: fault.records], content[fault.records :]
    if fault.kind is FaultKind.DUPLICATE_RECORD:
        return orjson.dumps(first + first + rest)
    return orjson.dumps([_damaged_record(record, fault.kind) for record in first] + rest)


def _damaged_record(record: Values, kind: FaultKind) -> Values:
    if kind is FaultKind.MISSING_UUID:
        return {name: value for name, value in record.items() if name != "uuid"}
    if kind is FaultKind.NAN_AMOUNT:
        return record | {name: "NaN" for name in AMOUNTS if name in record}
    if kind is FaultKind.LONG_TEXT:
        return record | {name: LONG for name in TEXTS if name in record}
    if kind is FaultKind.UNKNOWN_STATUS:
        return record | ({"status": "Parked"} if "status" in record else {})
    if kind is FaultKind.WRONG_TYPES:
        return record | {"active": "yes", "edit_date": 20261121} | {name: {"nested": [1]} for name in TEXTS if name in record}
    return record
