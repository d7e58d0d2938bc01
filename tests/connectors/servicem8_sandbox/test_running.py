"""The sandbox as a program of its own, and as the helper that other tests start."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from app.connectors.servicem8.sandbox import SandboxConfig
from app.connectors.servicem8.sandbox.testing import RunningSandbox, running_sandbox, start_sandbox

MODULE = "app.connectors.servicem8.sandbox"


@contextmanager
def _program(*arguments: str) -> Iterator[str]:
    """The sandbox started by its command; yields its first line."""
    with subprocess.Popen([sys.executable, "-m", MODULE, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_the_command_says_in_one_line_where_it_listens_and_serves_the_demo():
    with _program("--port", "0", "--seed", "demo", "--api-key", "smk-mine", "--api-key", "smk-other") as line:
        url = line.rpartition(" ")[2]
        answers = [httpx.get(f"{url}/api_1.0/vendor.json", headers={"X-API-Key": key}).json() for key in ("smk-mine", "smk-other")]
        quotes = httpx.get(f"{url}/api_1.0/job.json", params={"$filter": "status eq 'Quote'"}, headers={"X-API-Key": "smk-mine"}).json()
        (seeded,) = httpx.get(f"{url}/_control/seed").json()["seeded"]
        documented = httpx.get(f"{url}/_control/").json()["routes"]

    assert line.startswith("ServiceM8 sandbox ready at http://127.0.0.1:")
    assert [one["currency"] for (one,) in answers] == ["AUD", "EUR"]
    assert len(quotes) >= 180
    assert len(seeded["broken"]) == 10
    assert "GET /_control/ledger" in documented


def test_a_taken_port_is_said_in_a_sentence(sandbox: RunningSandbox):
    port = sandbox.url.rpartition(":")[2]
    ended = subprocess.run([sys.executable, "-m", MODULE, "--port", port], capture_output=True, text=True, timeout=30)

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_interrupt_ends_it_quietly():
    with subprocess.Popen([sys.executable, "-m", MODULE, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=10)

    assert (process.returncode, complaints) == (0, b"")


async def test_a_sandbox_may_run_in_a_thread():
    async with running_sandbox(SandboxConfig(seed="companies", seed_count=3), in_thread=True) as sandbox, httpx.AsyncClient() as client:
        answer = await client.get(f"{sandbox.api_url}/company.json", headers={"X-API-Key": sandbox.api_key})

    assert len(answer.json()) == 3


def test_a_sandbox_ends_with_the_program_that_started_it():
    code = (
        "from app.connectors.servicem8.sandbox.testing import start_sandbox; import os\n"
        "print(start_sandbox().url, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    url = ended.stdout.strip()

    for _ in range(100):
        try:
            httpx.get(f"{url}/_control/")
        except httpx.TransportError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("The sandbox lives on.")


def test_a_sandbox_that_cannot_start_says_so():
    with pytest.raises(RuntimeError, match="did not start"):
        start_sandbox(SandboxConfig(page_size=0))


@pytest.mark.alone
async def test_a_page_of_a_thousand_of_fifty_thousand_companies_is_quick():
    async with (
        running_sandbox(SandboxConfig(seed="companies", seed_count=50_000, limits_factor=None)) as sandbox,
        httpx.AsyncClient(base_url=sandbox.api_url, headers={"X-API-Key": sandbox.api_key}) as client,
    ):
        for _ in range(2):
            cursor, seen = "-1", 0
            while cursor:
                page = await client.get("/company.json", params={"cursor": cursor})
                seen += len(page.json())
                cursor = page.headers.get("x-next-cursor", "")
            assert seen == 50_000
        await client.get("/company.json", params={"cursor": "-1", "$filter": "edit_date gt '2026-11-01 16:00:00'"})

        milliseconds = sorted(one["milliseconds"] for one in (await sandbox.requests("company"))[50:])

    # The middle one, since other programs share the machine.
    assert milliseconds[len(milliseconds) // 2] < 5


async def test_requests_at_the_same_time_are_all_answered(sandbox: RunningSandbox):
    async with httpx.AsyncClient(base_url=sandbox.api_url, headers={"X-API-Key": sandbox.api_key}) as client:
        answers = await asyncio.gather(*(client.post("/note.json", json={"note": str(number)}) for number in range(200)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-record-uuid"] for answer in answers}) == 200


async def test_a_client_that_leaves_within_its_request_disturbs_nobody(sandbox: RunningSandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api_1.0/note.json HTTP/1.1\r\nHost: x\r\nX-API-Key: {sandbox.api_key}\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"note":')
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    async with httpx.AsyncClient(base_url=sandbox.api_url, headers={"X-API-Key": sandbox.api_key}) as client:
        assert (await client.get("/note.json")).json() == []
    assert await sandbox.ledger() == []
