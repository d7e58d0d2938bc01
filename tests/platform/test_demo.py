"""`crosswalk demo`, run as a person runs it, and looked at through HTTP alone."""

import base64
import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import embedded
from app.connectors.metakocka.sandbox.seed_products import code_of
from app.connectors.metakocka.sandbox.testing import partner_id
from app.demo import metakocka
from app.demo.provider import remembering_app
from app.demo.settings import MARK
from tests.platform.conftest import needs_linux

READY_SECONDS = 120
CODE = code_of(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A directory to run demos in; they share one data directory, so that the later ones are warm."""
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    embedded.erase(folder / "data")


def environment(folder: Path, **more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CROSSWALK_")}
    return {**own, "CROSSWALK_DATA_DIR": str(folder / "data"), **more}


def command(*options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "app.cli", "demo", *options]


def once(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    line = command("--once", "--port", str(free_port()), *options)
    return subprocess.run(line, env=environment(folder, **more), cwd=folder, capture_output=True, text=True, timeout=240)


def free_port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


@contextmanager
def running_demo(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A demo that has said that it is ready."""
    line = command("--port", str(port))
    process = subprocess.Popen(line, env=environment(folder), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def said_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "curl" in line:
            return said
    raise AssertionError(said)


@pytest.mark.requirement("ERP-75")
def test_once_does_the_main_job_and_passes_again_at_once(folder):
    for _ in range(2):
        done = once(folder)

        assert done.returncode == 0, done.stdout + done.stderr
        [line] = done.stdout.splitlines()
        seen = json.loads(line)
        assert seen["ok"] is True
        assert seen["quote"]["status"] == "PARTIALLY_APPROVED"
        assert seen["quote"]["delivery"] == "CONFIRMED"
        assert 0 < seen["quote"]["approved_lines"] < seen["quote"]["lines"]
        assert seen["servicem8"]["status"] == "Work Order"
        assert seen["servicem8"]["lines"] == seen["quote"]["approved_lines"]
        assert "approved a part" in seen["servicem8"]["note"]


@pytest.mark.requirement("MKD-20", "MKD-22")
def test_once_edits_a_contact_on_both_sides_and_resolves_the_conflict_and_passes_again(folder):
    for _ in range(2):
        done = once(folder)

        assert done.returncode == 0, done.stdout + done.stderr
        conflict = json.loads(done.stdout)["conflict"]
        assert set(conflict) == {"field", "base", "ours", "theirs", "resolved", "hub", "metakocka"}
        assert conflict["field"] == "name"
        assert len({conflict[name] for name in ("base", "ours", "theirs", "resolved")}) == 4
        assert conflict["hub"] == conflict["metakocka"] == conflict["resolved"]
        assert conflict["resolved"] in (folder / "data" / "metakocka.json").read_text()


@pytest.mark.requirement("ERP-76")
def test_a_running_demo_tells_programs_and_people_where_everything_is(folder):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with taken, running_demo(folder, port) as process:
        said = said_until_ready(process)
        addresses = json.loads((folder / "data" / "demo.json").read_text())

        assert set(addresses) == {"graphql_url", "token", "console_url", "portal_url", "servicem8_sandbox_url", "metakocka_sandbox_url"}
        assert stat.S_IMODE((folder / "data" / "demo.json").stat().st_mode) == 0o600
        base = addresses["graphql_url"].removesuffix("/graphql")
        assert int(base.rpartition(":")[2]) > port
        assert httpx.get(f"{base}/health/ready").status_code == 200
        for address in (addresses["console_url"], addresses["portal_url"]):
            assert address in said
            assert httpx.get(address, follow_redirects=True).status_code == 200
        assert httpx.get(f"{addresses['servicem8_sandbox_url']}/_control/").status_code == 200
        assert httpx.get(f"{addresses['metakocka_sandbox_url']}/sandbox/").status_code == 200

        assert len(answer_to(said)["data"]["quotes"]["nodes"]) == 3
        token = {"Authorization": f"Bearer {addresses['token']}"}
        answer = httpx.post(addresses["graphql_url"], json={"query": "{ __schema { queryType { name } } }"}, headers=token).json()
        assert answer == {"data": {"__schema": {"queryType": {"name": "Query"}}}}

        synced = subprocess.run(
            [sys.executable, "-P", "-m", "app.cli", "sync", "run", a_connection(addresses), "--organization", "sandgroper"],
            env=environment(folder),
            capture_output=True,
            text=True,
        )
        assert synced.returncode == 0, synced.stderr
        assert "100 %" in synced.stdout

        second = once(folder)
        assert second.returncode == 1
        assert "runs on" in second.stderr


def a_connection(addresses: dict[str, str]) -> str:
    """The id of one of the demo's connections, as the console's addresses show it."""
    headers = {"Authorization": f"Bearer {addresses['token']}"}
    answer = httpx.post(addresses["graphql_url"], headers=headers, json={"query": "{ connections { nodes { id } } }"}).json()
    return base64.b64decode(answer["data"]["connections"]["nodes"][0]["id"]).decode().partition(":")[2]


def answer_to(said: str) -> dict[str, Any]:
    """What the printed curl line brings; where there is no curl, what it says is done without it."""
    [line] = re.findall(r"^  (curl .*)$", said, flags=re.MULTILINE)
    if shutil.which("curl"):
        return dict(json.loads(subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout))
    _, _, url, _, authorization, _, content_type, _, body = shlex.split(line)
    headers = dict(header.split(": ", 1) for header in (authorization, content_type))
    return dict(httpx.post(url, headers=headers, content=body).json())


@needs_linux
def test_killing_the_demo_leaves_nothing_running(folder):
    with running_demo(folder, free_port()) as process:
        said_until_ready(process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 6  # Postgres, Valkey, two sandboxes, worker, web

        process.kill()
        process.wait()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{child}").exists() and _is_alive(child) for child in children):
            assert time.monotonic() < deadline, "a child outlived the demo"
            time.sleep(0.1)


def _is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("variable", ["CROSSWALK_DATABASE_URL", "CROSSWALK_DATABASE_OWNER_URL", "CROSSWALK_REDIS_URL"])
def test_named_servers_are_refused_without_external(folder, variable):
    done = once(folder, **{variable: "somewhere://production"})

    assert done.returncode == 1
    assert "--external" in done.stderr


@pytest.mark.parametrize("options", [(), ("--fresh",)])
def test_the_data_directory_of_a_hub_that_is_no_demo_is_refused(tmp_path, options):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "master.key").write_text("somebody's")

    done = once(tmp_path, *options)

    assert done.returncode == 1
    assert "not the demo's" in done.stderr
    assert (tmp_path / "data" / "master.key").read_text() == "somebody's"


def test_fresh_is_refused_for_servers_that_are_not_the_demos_own(folder):
    done = once(folder, "--fresh", "--external", CROSSWALK_DATABASE_URL="somewhere://production")

    assert done.returncode == 1
    assert "yourself" in done.stderr


def test_fresh_forgets_what_earlier_demos_left(folder):
    (folder / "data" / MARK).touch()
    (folder / "data" / "left behind").write_text("")
    before = json.loads((folder / "data" / "demo.json").read_text())["token"]

    done = once(folder, "--fresh")

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / "data" / "left behind").exists()
    assert json.loads((folder / "data" / "demo.json").read_text())["token"] != before


async def test_the_demos_provider_remembers_what_it_was_told_when_it_is_started_again(tmp_path):
    headers = {"X-API-Key": "smk-demo-perth"}
    quotes = "/api_1.0/job.json?%24filter=status%20eq%20%27Quote%27"

    async with provider(tmp_path) as client:
        job = (await client.get(quotes, headers=headers)).json()[0]
        answer = await client.post(f"/api_1.0/job/{job['uuid']}.json", json={"status": "Work Order"}, headers=headers)
        assert answer.status_code == 200

    async with provider(tmp_path) as client:
        assert (await client.get(f"/api_1.0/job/{job['uuid']}.json", headers=headers)).json()["status"] == "Work Order"


def provider(tmp_path: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(remembering_app(tmp_path / "memory.json"))
    return httpx.AsyncClient(transport=transport, base_url="http://servicem8.test")


async def test_the_demos_metakocka_remembers_edits_additions_and_deletions(tmp_path):
    async with metakocka_company(tmp_path) as client:
        await client.post(f"/partners/{partner_id(7)}", json={"customer": "Preimenovan d.o.o."})
        added = (await client.post("/partners", json={"customer": "Nov d.o.o.", "partner_contact_list": [{"name": "Ana"}]})).json()
        order = (await client.post("/documents/sales_order", json={"title": "Nova", "product_list": [{"code": CODE}]})).json()
        await client.delete(f"/partners/{partner_id(8)}")
        await client.delete(f"/partners/{added['mk_id']}")

    async with metakocka_company(tmp_path) as client:
        assert (await client.get(f"/partners/{partner_id(7)}")).json()["customer"] == "Preimenovan d.o.o."
        assert (await client.get(f"/documents/sales_order/{order['mk_id']}")).json() == order
        for deleted in (partner_id(8), added["mk_id"]):
            assert (await client.get(f"/partners/{deleted}")).status_code == 404


async def test_the_demos_metakocka_gives_no_id_or_number_twice(tmp_path):
    seen = []
    for _ in range(3):
        async with metakocka_company(tmp_path) as client:
            partner = (await client.post("/partners", json={"customer": "Nov d.o.o.", "partner_contact_list": [{"name": "Ana"}]})).json()
            kept, gone = [(await client.post("/documents/sales_order", json={"product_list": [{"code": CODE}]})).json() for _ in range(2)]
            await client.delete(f"/documents/sales_order/{gone['mk_id']}")
        seen += [one[name] for one in (partner, kept, gone) for name in ("mk_id", "count_code")]
        seen += [partner["partner_contact_list"][0]["mk_id"], kept["product_list"][0]["mk_row_id"]]

    assert len(set(seen)) == len(seen)


async def test_a_reset_ends_what_the_demos_metakocka_remembers(tmp_path):
    async with metakocka_company(tmp_path) as client:
        await client.delete(f"/partners/{partner_id(8)}")
        await client.post(f"/partners/{partner_id(7)}", json={"customer": "Preimenovan d.o.o."})
        await client.post("/reset")

    async with metakocka_company(tmp_path) as client:
        assert (await client.get(f"/partners/{partner_id(7)}")).json()["customer"] != "Preimenovan d.o.o."
        assert (await client.get(f"/partners/{partner_id(8)}")).status_code == 200


def metakocka_company(tmp_path: Path) -> httpx.AsyncClient:
    """The demo's Metakocka, started with whatever is remembered, to an MK user."""
    transport = httpx.ASGITransport(metakocka.remembering_app(tmp_path / "memory.json"))
    return httpx.AsyncClient(transport=transport, base_url="http://metakocka.test/sandbox")
