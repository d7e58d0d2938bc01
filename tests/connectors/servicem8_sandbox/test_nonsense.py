"""Whatever is sent, the sandbox answers as the provider would and never fails itself."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest

from app.connectors.servicem8.sandbox.schema import OBJECT_TYPES
from app.connectors.servicem8.sandbox.testing import RunningSandbox

from .provider import Provider

VALUES: tuple[Any, ...] = (
    None, "", " ", "0", "1", 1, 0, -1, 2**63 - 1, 1.5, 1e300, True, False, [], {}, [1], {"a": 1}, "NaN", "1e999999999", "9" * 24, "9" * 30,
    "x" * 600, "0000-00-00", "2026-02-30", "2026-03-01 12:00:00", "١٢", "\u0000", "\u202e", "🐕", "Quote", "Work Order", '["b"]', "'", '"',
)  # fmt: skip
FILTER_PARTS = (
    "status",
    "active",
    "eq",
    "gt",
    "ne",
    "and",
    "or",
    "'Quote'",
    "1",
    "-1.5",
    "''",
    "'",
    "(",
    ")",
    "edit_date",
    "'2026'",
    "\u0000",
)


@pytest.mark.parametrize("name", [name for name, type in OBJECT_TYPES.items() if type.writable])
async def test_any_values_are_taken_or_refused(sandbox: RunningSandbox, provider: Provider, name: str):
    chance, fields = Random(name), list(OBJECT_TYPES[name].by_name)
    sound = {field.name: "Quote" if field.name == "status" else "1" for field in OBJECT_TYPES[name].fields if field.required}
    statuses = set()
    for _ in range(60):
        given = sound | {chance.choice(fields): chance.choice(VALUES) for _ in range(chance.randint(1, 3))}
        answer = await provider.post(f"{name}.json", given)
        statuses.add(answer.status_code)
        if answer.status_code == 200:
            uuid = answer.headers["x-record-uuid"]
            statuses.add((await provider.post(f"{name}/{uuid}.json", {chance.choice(fields): chance.choice(VALUES)})).status_code)

    assert statuses <= {200, 400, 409}
    assert (await provider.get(f"{name}.json")).status_code == 200


async def test_any_filter_is_taken_or_refused(provider: Provider):
    chance = Random(1)
    filters = [" ".join(chance.choices(FILTER_PARTS, k=chance.randint(1, 8))) for _ in range(150)]

    assert {(await provider.filtered("job.json", text, cursor="-1")).status_code for text in filters} <= {200, 400}


async def test_totals_bear_the_greatest_amounts_and_texts_that_are_none(sandbox: RunningSandbox, provider: Provider):
    job = await provider.quote()
    line = await provider.line(job, price="9" * 23, quantity="9" * 23)
    largest = (await provider.one(f"job/{job}.json"))["total_invoice_amount"]
    for wrong in ("NaN", "1e400", "a few", None):
        await sandbox.edit("jobmaterial", line, quantity=wrong, price=wrong, displayed_amount=wrong)

    assert Fraction(largest) == Fraction(int("9" * 23) ** 2 * 11, 10)
    assert (await provider.one(f"job/{job}.json"))["total_invoice_amount"] == "0.0000"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=%ff%fe"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=&&==&name"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n'),
        ("application/json", b'{"name": "\\ud800"}'),
        ("text/plain", b'{"name": "plain"}'),
        ("", b'{"name": "untyped"}'),
    ],
)
async def test_any_body_is_taken_or_refused(provider: Provider, content_type: str, body: bytes):
    provider.headers["Content-Type"] = content_type
    answer = await provider.post("company.json", content=body)

    assert answer.status_code in (200, 400)
    assert "errorCode" in answer.json()


@pytest.mark.parametrize(
    "path", ["company/%00.json", "company/..%2f..%2fx.json", "%F0%9F%90%95.json", "company/.json", "company/x/y.json", ".json"]
)
async def test_any_path_gets_a_json_answer(provider: Provider, path: str):
    answer = await provider.get(path)

    assert answer.status_code in (400, 404)
    assert "errorCode" in answer.json()
