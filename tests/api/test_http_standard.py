"""GraphQL over HTTP, as the audit of its authors checks it. Some of its checks introspect, so introspection is on."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette

PACKAGES = ("graphql-http@1.23.1", "graphql@16")
CHECKS = 61


async def _run(*command: str, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, err.decode()
    return out.decode()


def _need_node() -> None:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if not missing:
        return
    sentence = f"The audit of GraphQL over HTTP needs {' and '.join(missing)} on the PATH."
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


async def test_all_checks_of_graphql_over_http_are_ok(open_server: str, token: str, tmp_path: Path):
    _need_node()
    await _run("npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES, cwd=tmp_path)

    printed = await _run(
        "node", str(Path(__file__).with_name("audit.mjs")), str(tmp_path), f"http://{open_server}/graphql", token, cwd=tmp_path
    )

    results = json.loads(printed)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == CHECKS


async def test_a_caller_who_goes_away_while_its_body_is_read_is_no_surprise(app: Starlette, token: str):
    answers: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")]
    request = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers, "client": ("192.0.2.9", 1)}
    await app(request, receive, send)

    assert answers[0]["status"] == 400
