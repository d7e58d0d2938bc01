"""docs/api.md does what it says: its commands are run, its JavaScript is that of the tests, its limits are the settings."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from app.settings import Settings, variable_name
from tests.api.client import gid
from tests.npm.client import HERE
from tests.npm.programs import ROOT, skip
from tests.quotes.world import World

GUIDE = (ROOT / "docs" / "api.md").read_text()
COMMANDS = [block for block in re.findall(r"```sh\n(.+?)```", GUIDE, re.DOTALL) if block.startswith("curl")]
SCRIPTS = re.findall(r"```js\n// tests/npm/(\S+)\n(.+?)```", GUIDE, re.DOTALL)


async def _curl(command: str, world: World, server: str, token: str, *, seconds: float = 20) -> str:
    if shutil.which("curl") is None:
        skip("The commands of docs/api.md need curl on the PATH.")
    quote = gid("Quote", world.quote_id)
    environment = {"PATH": "/usr/bin:/bin", "CROSSWALK_URL": f"http://{server}", "CROSSWALK_TOKEN": token, "QUOTE": quote}
    process = await asyncio.create_subprocess_exec(
        "timeout", str(seconds), "sh", "-c", command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    return out.decode()


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("curl -N")])
async def test_a_command_of_the_guide_is_answered_with_data(world: World, server: str, token: str, command: str):
    answer = json.loads(await _curl(command, world, server, token))

    assert "errors" not in answer, answer
    [first, *_] = answer["data"].values()
    assert first.get("__typename", "Success").endswith("Success"), first
    assert ("cost" in command) == ("extensions" in answer)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("curl -N")])
async def test_a_stream_of_the_guide_begins_with_how_things_are(world: World, server: str, token: str, command: str):
    printed = await _curl(command, world, server, token, seconds=2)

    assert printed.startswith("event: next\ndata: ")
    assert '"status":"OPEN"' in printed


def test_the_guide_has_commands_and_scripts():
    assert len(COMMANDS) >= 5
    assert {file for file, _ in SCRIPTS} == {"fetch.mjs", "graphql_ws.mjs", "subscribing.mjs", "apollo.mjs", "apollo_persisted.mjs"}
    assert len(SCRIPTS) == GUIDE.count("```js\n")


@pytest.mark.parametrize(("file", "script"), SCRIPTS)
def test_a_script_of_the_guide_is_one_that_is_tested(file: str, script: str):
    assert script in (HERE / file).read_text()


def test_every_limit_of_the_api_is_in_the_guide_with_its_value():
    settings = Settings()
    for name in vars(settings):
        if name.startswith(("limit_", "streams_per_")) or name == "rate_cost_per_minute":
            value = getattr(settings, name)
            row = re.search(rf"^\| [^|]+ \| ([\d,]+)[^|]*\| `{variable_name(name)}` \|$", GUIDE, re.MULTILINE)
            assert row, f"{variable_name(name)} is not in docs/api.md"
            assert int(row[1].replace(",", "")) == value, name


def test_every_file_that_the_guide_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", GUIDE):
        assert (ROOT / "docs" / target).resolve().exists(), target
    for path in re.findall(r"`((?:clients|tests|scripts|graphql)/[\w./]+)`", GUIDE):
        assert (ROOT / path).exists() or "crosswalk_client" in path or Path(path).name == "operations.ts", path
