"""Rows in every table that reads touch: two organizations with two clients each, drawn from a seed.

They are written past the services, so that also what services rarely make is there: nulls wherever a column allows them,
every status, texts in several scripts, amounts of many digits.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.actors import Actor, ActorKind, Role, Scope
from app.bootstrap import Hub
from app.database import execute, transaction
from app.ids import new_id
from tests.factories import make_organization

TEXTS = (
    "",
    "Acme",
    "Žagar & Sons",
    'O\'Brien "Quoted"',
    "日本電気",
    "شركة",
    "🐝 bees",
    "a\\b",
    "two\nlines",
    "{row} $1 %s",
    "zebra",
    "Äpfel",
)
CURRENCIES = ("EUR", "AUD", "JPY", "BHD", "XXX", "CHF", "XOF", "ZZZ")
AMOUNTS = ("0", "1240.50", "-3.10", "0.001", "99999999999.99", "12.3456789", "100", "-0.00000001", "1e3")
PROVIDERS = ("servicem8", "somebody_else")


@dataclass
class Place:
    """One organization and what is in it: ids by GraphQL type."""

    owner: Actor
    chance: random.Random
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def ids(self, table: str) -> list[UUID]:
        return [row["id"] for row in self.rows.get(table, [])]

    def some(self, table: str) -> UUID:
        return self.chance.choice(self.ids(table))

    def contact_of(self, client_id: UUID) -> Actor:
        """Somebody who decides for that client."""
        return Actor(Scope(self.owner.organization_id, client_id), ActorKind.CLIENT_CONTACT, Role.CLIENT_CONTACT, "Carla", new_id())


async def build(hub: Hub, seed: int, *, scale: int = 1) -> Place:
    """A new organization full of rows."""
    place = Place(await make_organization(hub), random.Random(seed))
    async with transaction(place.owner.scope):
        await _fill(place, scale)
    return place


async def _fill(place: Place, scale: int) -> None:
    for table, count, make in (
        ("connection", 6, _connection),
        ("record", 16 * scale, _contact),
        ("record", 24 * scale, _job),
        ("record", 12 * scale, _document),
        ("record", 5 * scale, _product),
        ("record", 5 * scale, _inventory_level),
        ("client", 2, _client),
        ("client_contact", 3, _client_contact),
        ("site", 3, _site),
        ("sync", 3, _sync),
        ("sync_run", 14 * scale, _run),
        ("failed_record", 9 * scale, _failed),
        ("provider_call", 9 * scale, _call),
    ):
        for _ in range(count):
            await _insert(place, table, make(place))
    await _mappings(place)
    await _changes(place)
    await _quotes(place)


async def _insert(place: Place, table: str, row: dict[str, Any]) -> None:
    row = {"organization_id": place.owner.organization_id, **row}
    names = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await execute(place.owner.scope, f"INSERT INTO {table} ({names}) VALUES ({places})", *row.values())
    place.rows.setdefault(table, []).append(row)


def _maybe(chance: random.Random, value: Any) -> Any:
    return value if chance.random() < 0.7 else None


def _moment(chance: random.Random) -> datetime:
    time = datetime(2026, 11, 21, 9, 30, tzinfo=UTC) + timedelta(seconds=chance.randint(-(10**7), 10**7))
    return time.replace(microsecond=chance.choice((0, 1, 120000, 999999)))


def _text(chance: random.Random) -> str:
    return chance.choice(TEXTS)


def _amount(chance: random.Random) -> Decimal:
    return Decimal(chance.choice(AMOUNTS))


def _connection(place: Place) -> dict[str, Any]:
    chance = place.chance
    hints = {"api_key": {"last_four": "7f2a", "set_at": "2026-01-02T03:04:05Z"}, "b": {"last_four": "", "set_at": "2026-01-02T03:04:05.5Z"}}
    account = {"id": "a-1", "name": _text(chance), "currency": "EUR", "time_zone": "Australia/Perth"}
    return {
        "id": new_id(),
        "provider": chance.choice(PROVIDERS),
        "name": f"{_text(chance)} {chance.random()}",
        "mode": chance.choice(("live", "sandbox")),
        "settings": {"base_url": "http://x", "list": [1, None, {"ž": True}]},
        "credentials": b"sealed",
        "credential_hints": chance.choice(({}, hints)),
        "account": chance.choice(({}, account)),
        "status": chance.choice(("untested", "active", "needs_attention", "paused", "paused", "disabled")),
        "status_message": _maybe(chance, _text(chance)),
        "paused_until": _maybe(chance, _moment(chance)),
        "tested_at": _maybe(chance, _moment(chance)),
        "last_synced_at": _maybe(chance, _moment(chance)),
        "version": chance.randint(1, 5),
        "created_at": _moment(chance),
        "updated_at": _moment(chance),
        "deleted_at": _maybe(chance, None) if chance.random() < 0.7 else _moment(chance),
    }


def _record(place: Place, entity: str, data: dict[str, Any]) -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "entity": entity,
        "connection_id": _maybe(chance, place.some("connection")),
        "data": data,
        "version": chance.randint(1, 9),
        "created_at": _moment(chance),
        "updated_at": _moment(chance),
        "deleted_at": _moment(chance) if chance.random() < 0.2 else None,
    }


def _contact(place: Place) -> dict[str, Any]:
    chance = place.chance
    person = {"external_id": "p1", "name": _text(chance), "is_primary": chance.random() < 0.5, "role": "BILLING"}
    data: dict[str, Any] = {"name": _text(chance)}
    for name in ("email", "phone", "mobile", "website", "tax_number", "registration_number", "notes"):
        if chance.random() < 0.5:
            data[name] = _text(chance)
    if chance.random() < 0.5:
        data |= {"is_individual": True, "address": {"text": _text(chance), "city": "Maribor"}, "people": [person, {"external_id": "p2"}]}
    if chance.random() < 0.5:
        data |= {"is_customer": False, "is_supplier": True, "custom": {"x": [1.5, None, _text(chance)]}}
    return _record(place, "contact", data)


def _document(place: Place) -> dict[str, Any]:
    chance = place.chance
    line = {"name": _text(chance), "quantity": "1.50", "unit_price": "0.12340", "discount": "12.5", "position": 1}
    data: dict[str, Any] = {"kind": chance.choice(("offer", "order", "invoice", "prepayment_invoice", "credit_note"))}
    data |= {"status": chance.choice(("quote", "open", "zebra")), "contact_external_id": _maybe(chance, f"c-{chance.randint(0, 5)}")}
    if chance.random() < 0.5:
        data |= {"issued_on": "2026-02-03", "valid_until": "2026-03-04", "currency": "EUR", "offer_numbers": [_text(chance), "P-1"]}
        data |= {"lines": [line, line | {"external_id": "l2", "tax_rate": "22", "unit": "h"}], "total": "12.30", "discount": "5"}
    return _record(place, "sales_document", data)


def _product(place: Place) -> dict[str, Any]:
    chance = place.chance
    data: dict[str, Any] = {"name": _text(chance), "code": _text(chance), "is_sold": chance.random() < 0.5}
    return _record(place, "product", data | ({"unit_price": "0.10", "currency": "EUR"} if chance.random() < 0.5 else {}))


def _inventory_level(place: Place) -> dict[str, Any]:
    chance = place.chance
    data = {"product_external_id": "p-1", "name": _text(chance), "on_hand": "12.500", "available": "-1"}
    return _record(place, "inventory_level", data)


def _job(place: Place) -> dict[str, Any]:
    chance = place.chance
    line = {"external_id": "l1", "description": _text(chance), "quantity": "1.50", "unit_price": "0.12340", "position": 1}
    data: dict[str, Any] = {"status": chance.choice(("quote", "work_order", "completed", "unsuccessful"))}
    data |= {"number": str(chance.randint(1, 99)), "contact_external_id": _maybe(chance, f"c-{chance.randint(0, 5)}")}
    if chance.random() < 0.5:
        data |= {
            "scheduled_on": "2026-02-03",
            "quoted_at": "2026-01-02T03:04:05Z",
            "ordered_at": "2026-01-02T03:04:05.25Z",
            "total": "12.30",
        }
        data |= {"lines": [line, line | {"external_id": "l2", "tax_rate": "22"}], "title": _text(chance)}
    return _record(place, "job", data)


def _client(place: Place) -> dict[str, Any]:
    taken = {row["contact_record_id"] for row in place.rows.get("client", [])}
    free = [row["id"] for row in place.rows["record"] if row["id"] not in taken]
    return {"id": new_id(), "name": _text(place.chance), "contact_record_id": _maybe(place.chance, place.chance.choice(free))}


def _client_contact(place: Place) -> dict[str, Any]:
    chance, id = place.chance, new_id()
    row = {"id": id, "client_id": place.some("client"), "email": f"{id.hex}@x.test", "name": _text(chance)}
    return row | {"disabled_at": _maybe(chance, _moment(chance))}


def _site(place: Place) -> dict[str, Any]:
    chance = place.chance
    return {"id": new_id(), "client_id": place.some("client"), "name": _text(chance), "address": _text(chance)}


def _sync(place: Place) -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "connection_id": place.some("connection"),
        "name": _text(chance),
        "streams": chance.choice((["companies"], ["companies", "jobs"])),
        "direction": chance.choice(("pull", "push", "two_way")),
        "mode": chance.choice(("incremental", "full")),
        "schedule": _maybe(chance, "0 2 * * *"),
        "next_due_at": _maybe(chance, datetime(2099, 1, 1, tzinfo=UTC)),
        "enabled": chance.random() < 0.5,
        "deleted_at": _moment(chance) if chance.random() < 0.3 else None,
    }


def _run(place: Place) -> dict[str, Any]:
    chance = place.chance
    # No worker must take one up: those that are not over are due in a far future.
    status = chance.choice(("queued", "running", "cancelling", "completed", "partially_completed", "failed", "cancelled"))
    return {
        "id": new_id(),
        "connection_id": place.some("connection"),
        "sync_id": _maybe(chance, place.some("sync")),
        "direction": chance.choice(("pull", "push", "two_way")),
        "mode": chance.choice(("incremental", "full")),
        "narrowed_to": _maybe(chance, {"contact_external_id": _text(chance)}),
        "status": status,
        "requested_by": chance.choice(({}, {"name": _text(chance)})),
        "revision": chance.randint(1, 10**6),
        "progress": Decimal(chance.choice(("0", "4.99", "5", "33.33", "100"))),
        "message": _text(chance),
        "error_code": _maybe(chance, "x"),
        "error_message": _maybe(chance, _text(chance)),
        "fix_by": _maybe(chance, chance.choice(("time", "customer", "us"))),
        "next_attempt_at": datetime(2099, 1, 1, tzinfo=UTC),
        "created_at": _moment(chance),
        "started_at": _maybe(chance, datetime(2026, 1, 1, tzinfo=UTC)),
        "finished_at": _maybe(chance, _moment(chance)),
    }


def _failed(place: Place) -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "connection_id": place.some("connection"),
        "stream": "companies",
        "external_id": f"e-{chance.random()}",
        "sync_run_id": place.some("sync_run"),
        "stage": chance.choice(("read", "assemble", "translate", "validate", "store", "project", "push")),
        "error_code": "x",
        "message": _text(chance),
        "fix_by": chance.choice(("time", "customer", "us")),
        "payload": chance.choice((b"{}", "{ž}".encode(), b"\xff\xfe")),
        "resolved_at": _maybe(chance, _moment(chance)),
    }


def _call(place: Place) -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "connection_id": place.some("connection"),
        "sync_run_id": _maybe(chance, place.some("sync_run")),
        "method": "GET",
        "url": "https://provider.test/jobs",
        "status": _maybe(chance, 200),
        "attempt": chance.randint(1, 3),
        "duration_ms": chance.choice((0.0, 12.345678, 1e6)),
        "waited_ms": chance.choice((0.0, 0.1)),
        "bytes_received": chance.randint(0, 10**6),
        "error": _maybe(chance, _text(chance)),
        "called_at": _moment(chance),
    }


async def _mappings(place: Place) -> None:
    """One for most records; where a record has two they are at different connections, and the second bears another's name."""
    chance = place.chance
    for number, record in enumerate(place.rows["record"]):
        if chance.random() < 0.8:
            await _insert(place, "mapping", _mapping(place, record, record["connection_id"] or place.some("connection"), number))
        other = place.some("connection")
        if chance.random() < 0.3 and other not in (record["connection_id"], *_mapped(place, record["id"])):
            await _insert(place, "mapping", _mapping(place, record, other, number, stream="customers"))


def _mapped(place: Place, record_id: UUID) -> set[UUID]:
    return {row["connection_id"] for row in place.rows.get("mapping", ()) if row["record_id"] == record_id}


def _mapping(place: Place, record: dict[str, Any], connection_id: UUID, number: int, stream: str = "") -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "connection_id": connection_id,
        "stream": stream or ("companies" if record["entity"] == "contact" else "jobs"),
        "external_id": f"c-{number}",
        "record_id": record["id"],
        "status": chance.choice(("pending", "synced", "conflict", "failed", "deleted")),
        "base_version": _maybe(chance, 1),
        "provider_version": _maybe(chance, "7"),
        "last_synced_at": _maybe(chance, _moment(chance)),
        "last_error": _maybe(chance, _text(chance)),
        "synced_by": _maybe(chance, "pull"),
    }


async def _changes(place: Place) -> None:
    """What records were before, what hub and provider changed differently, and how far runs have come."""
    chance = place.chance
    for record in place.rows["record"]:
        for version in range(1, record["version"]):
            await _insert(place, "record_version", _record_version(place, record, version))
    for number in range(12):
        await _insert(place, "conflict", _conflict(place, number))
    for run in place.rows["sync_run"]:
        for position, stream in enumerate(("companies", "jobs")[: chance.randint(0, 2)]):
            await _insert(place, "sync_run_stream", _stream(place, run, position, stream))


def _record_version(place: Place, record: dict[str, Any], version: int) -> dict[str, Any]:
    chance = place.chance
    return {
        "record_id": record["id"],
        "version": version,
        "data": record["data"],
        "deleted_at": _moment(chance) if chance.random() < 0.2 else None,
        "replaced_at": _moment(chance),
        "replaced_by": _text(chance),
    }


def _conflict(place: Place, number: int) -> dict[str, Any]:
    chance = place.chance
    resolution = _maybe(chance, chance.choice(("ours", "theirs", "value", "agreed")))
    return {
        "id": new_id(),
        "connection_id": place.some("connection"),
        "stream": "companies",
        "record_id": place.some("record"),
        "external_id": f"c-{number}",
        "field": chance.choice(("name", "zebra", f"field {number}")),
        "base": _maybe(chance, _text(chance)),
        "ours": _maybe(chance, {"a": [1.5, None]}),
        "theirs": _maybe(chance, True),
        "sync_run_id": _maybe(chance, place.some("sync_run")),
        "resolution": resolution,
        "value": _maybe(chance, "x"),
        "resolved_by": _maybe(chance, _text(chance)),
        "resolved_at": _moment(chance) if resolution else None,
    }


def _stream(place: Place, run: dict[str, Any], position: int, stream: str) -> dict[str, Any]:
    chance = place.chance
    counts = {name: chance.randint(0, 9) for name in ("read", "created", "updated", "unchanged", "deleted", "failed", "pages")}
    return counts | {
        "sync_run_id": run["id"],
        "connection_id": run["connection_id"],
        "stream": stream,
        "lock_stream": stream,
        "direction": chance.choice(("pull", "push")),
        "position": position,
        "status": chance.choice(("queued", "running", "completed", "failed", "cancelled")),
        "active": False,
        "expected": _maybe(chance, 10),
        "started_at": _maybe(chance, _moment(chance)),
        "finished_at": _maybe(chance, _moment(chance)),
    }


async def _quotes(place: Place) -> None:
    for job in [row for row in place.rows["record"] if row["entity"] == "job" and row["connection_id"]]:
        quote = _quote(place, job)
        await _insert(place, "quote", quote)
        for position in range(place.chance.randint(0, 4)):
            await _insert(place, "quote_line", _line(place, quote, position))
        for version in range(1, place.chance.randint(1, 3)):
            await _insert(place, "quote_version", _version(place, quote, version))
        for number in range(place.chance.randint(0, 2)):
            decision = _decision(place, quote, number)
            await _insert(place, "quote_decision", decision)
            await _insert(place, "delivery", _delivery(place, quote, decision))
        if place.chance.random() < 0.3:
            await _insert(place, "delivery", _delivery(place, quote, {"id": None}) | _of_record(place))


def _of_record(place: Place) -> dict[str, Any]:
    """A delivery that writes a record; one that is over, for only one of them may be under way."""
    status = place.chance.choice(("confirmed", "not_applied", "failed"))
    record = {"quote_id": None, "client_id": None, "record_id": place.some("record"), "stream": "companies"}
    return record | {"action": "write_record", "status": status}


def _quote(place: Place, job: dict[str, Any]) -> dict[str, Any]:
    chance = place.chance
    amounts = {name: _amount(chance) for name in ("subtotal", "tax", "total")}
    return amounts | {
        "id": job["id"],
        "client_id": _maybe(chance, place.some("client")),
        "connection_id": job["connection_id"],
        "provider": chance.choice(PROVIDERS),
        "external_id": f"q-{job['id']}",
        "contact_external_id": _maybe(chance, f"c-{chance.randint(0, 5)}"),
        "contact_name": _text(chance),
        "number": _text(chance),
        "title": _text(chance),
        "status": chance.choice(("open", "open", "open", "approved", "partially_approved", "rejected", "withdrawn")),
        "version": chance.randint(1, 4),
        "content_hash": "h",
        "currency": chance.choice(CURRENCIES),
        "issued_at": _maybe(chance, _moment(chance)),
        "valid_until": _maybe(chance, chance.choice((datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)))),
        "reopened_reason": _maybe(chance, _text(chance)),
        "created_at": _moment(chance),
        "updated_at": _moment(chance),
    }


def _line(place: Place, quote: dict[str, Any], position: int) -> dict[str, Any]:
    chance = place.chance
    amounts = {name: _amount(chance) for name in ("quantity", "unit_price", "tax_rate", "amount", "tax", "total")}
    return amounts | {
        "id": new_id(),
        "client_id": quote["client_id"],
        "quote_id": quote["id"],
        "external_id": f"l-{9 - position}",
        "position": position // 2,
        "description": _text(chance),
        "decision": chance.choice(("pending", "approved", "rejected")),
        "reason": _maybe(chance, _text(chance)),
    }


def _seen_line(place: Place) -> dict[str, Any]:
    chance = place.chance
    amounts = {name: format(_amount(chance), "f") for name in ("quantity", "unit_price", "tax_rate", "amount", "tax", "total")}
    return amounts | {"external_id": "l-1", "position": 0, "description": _text(chance)}


def _version(place: Place, quote: dict[str, Any], version: int) -> dict[str, Any]:
    content = {"title": _text(place.chance), "currency": place.chance.choice(CURRENCIES), "lines": [_seen_line(place), _seen_line(place)]}
    content |= {"subtotal": "1.00", "tax": "0.10", "total": "1.10"}
    row = {"client_id": quote["client_id"], "quote_id": quote["id"], "version": version, "content_hash": "h"}
    return row | {"content": content, "created_at": _moment(place.chance)}


def _decision(place: Place, quote: dict[str, Any], number: int) -> dict[str, Any]:
    chance = place.chance
    line = _seen_line(place) | {"id": str(new_id()), "decision": "approved", "reason": _maybe(chance, _text(chance))}
    return {
        "id": new_id(),
        "client_id": quote["client_id"],
        "quote_id": quote["id"],
        "quote_version": 1 + number,
        "outcome": chance.choice(("approved", "partially_approved", "rejected")),
        "lines": [line],
        "currency": quote["currency"],
        **{f"approved_{name}": _amount(chance) for name in ("subtotal", "tax", "total")},
        **{name: _maybe(chance, _text(chance)) for name in ("reason", "note", "purchase_order", "signature_name")},
        "terms": _text(chance),
        "decided_by": chance.choice(({}, {"name": _text(chance)})),
        "decided_at": _moment(chance),
        "idempotency_key": "k",
        "request_hash": "h",
        "superseded_at": _moment(chance) if number == 0 else None,
        "superseded_reason": _maybe(chance, _text(chance)),
    }


def _delivery(place: Place, quote: dict[str, Any], decision: dict[str, Any]) -> dict[str, Any]:
    chance = place.chance
    return {
        "id": new_id(),
        "client_id": quote["client_id"],
        "connection_id": quote["connection_id"],
        "provider": quote["provider"],
        "action": "approve_quote",
        "payload": {},
        "quote_id": quote["id"],
        "decision_id": decision["id"],
        "status": chance.choice(("queued", "sending", "confirmed", "not_applied", "failed")),
        "error_code": _maybe(chance, "x"),
        "error_message": _maybe(chance, _text(chance)),
        "fix_by": _maybe(chance, chance.choice(("time", "customer", "us"))),
        "confirmation": _maybe(chance, {"status": "Work Order", "n": 1.5}),
        "attempts": chance.randint(0, 9),
        "next_attempt_at": datetime(2099, 1, 1, tzinfo=UTC),
        "created_at": _moment(chance),
        "started_at": _maybe(chance, _moment(chance)),
        "finished_at": _maybe(chance, _moment(chance)),
    }
