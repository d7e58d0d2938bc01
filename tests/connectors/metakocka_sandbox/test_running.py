"""The sandbox as a program of its own, its speed, and what it says to nonsense."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from app.connectors.metakocka.sandbox import SandboxConfig, Sizes, create_app
from app.connectors.metakocka.sandbox.testing import RunningSandbox, partner_id, running_sandbox, start_sandbox

from .provider import FAMILIES, MAIN, Provider

PROGRAM = [sys.executable, "-m", "app.cli", "sandbox", "metakocka"]
CALLS = ("add_partner", "get_partner", "update_partner", "put_document", "get_document", "update_document", "delete_document", "search",
         "search_query_advance_discovery", "change_document_status", "put_transaction", *FAMILIES)  # fmt: skip
NONSENSE: list[Any] = [None, True, 0, -1, 1.5, "", "x" * 10_000, "ž", [], [1], [[]], [None], {}, {"x": {}}, [{"mk_id": []}], [{"code": {}}]]


@contextmanager
def program(*arguments: str) -> Iterator[str]:
    """The sandbox started by its command; yields its first line."""
    with subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)


def test_the_command_says_in_one_line_where_it_listens_and_takes_sizes_and_a_key():
    with program("--port", "0", "--partners", "7", "--company-id", "99", "--secret-key", "k", "--sound", "--quota", "3") as line:
        url = line.rpartition(" ")[2]
        body = {"company_id": "99", "secret_key": "k"}
        answers = [httpx.post(f"{url}{MAIN}get_partner", json=body).json() for _ in range(4)]
        documented = httpx.get(f"{url}/sandbox/").json()["routes"]

    assert line.startswith("Metakocka sandbox ready at http://127.0.0.1:")
    assert [one.get("partner_list_count") for one in answers] == ["7", "7", "7", None]
    assert answers[3]["opr_code"] == "5"
    assert "GET /sandbox/ledger" in documented


def test_a_taken_port_is_said_in_a_sentence(sandbox: RunningSandbox):
    port = sandbox.url.rpartition(":")[2]
    ended = subprocess.run([*PROGRAM, "--port", port], capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_a_sandbox_that_cannot_start_says_so():
    with pytest.raises(RuntimeError, match="did not start"):
        start_sandbox(SandboxConfig(sizes=Sizes(partners=1_000_001)))


async def test_control_routes_are_off_unless_asked_for():
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mk.test") as client:
        answer = await client.get("/sandbox/ledger")

    assert answer.status_code == 404


@pytest.mark.alone
@pytest.mark.parametrize("partners", [50_000, 1_000_000])
async def test_a_window_of_a_thousand_partners_is_quick_however_many_there_are(partners: int):
    began = time.monotonic()
    config = SandboxConfig(sizes=Sizes(partners=partners))
    async with running_sandbox(config) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as http:
        started = time.monotonic() - began
        provider = Provider(http, sandbox.company_id, sandbox.secret_key)
        seen = [await provider.found(offset=str(offset)) for offset in range(0, partners, partners // 25)]
        again = [await provider.found(offset=str(offset)) for offset in range(0, partners, partners // 25)]
        edited = await sandbox.edit_partner(partner_id(partners - 1), customer="Zadnji d.o.o.")
        found = await provider.found(partner_email=f"pisarna{partners - 1}@narocnik.test")
        milliseconds = [one["milliseconds"] for one in await sandbox.requests("get_partner")]

    assert started < 10
    assert [len(page) for page in seen] == [1000] * 25
    assert again == seen
    assert [one["customer"] for one in found] == [edited["customer"]]
    # The middle ones, since other programs share the machine.
    assert sorted(milliseconds[:25])[12] < 20
    assert sorted(milliseconds[25:50])[12] < 5


async def test_calls_at_the_same_time_are_all_answered(sandbox: RunningSandbox, provider: Provider):
    made = await asyncio.gather(*(provider.partner(customer=f"Hkrati {number}") for number in range(150)))

    assert len({one["mk_id"] for one in made}) == 150
    assert len(await sandbox.effects(effect="created")) == 150


@pytest.mark.parametrize("name", CALLS)
async def test_nonsense_is_answered_and_never_breaks_the_sandbox(provider: Provider, name: str):
    fields = ("partner", "doc_type", "doc_id", "mk_id", "product_list", "query_advance", "offset", "limit", "mark_paid", "attachment_list")
    sound = {"doc_type": "sales_order", "doc_date": "01.03.2026", "partner": {"customer": "X", "street": "1"}, "date": "01.03.2026"}
    for field in fields:
        for value in NONSENSE:
            answer = await provider.call(name, **(sound | {field: value}))
            assert answer.status_code == 200, (field, value, answer.text)
            answer.json()
