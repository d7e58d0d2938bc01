"""docs/by-hand.md does what it says: its commands are run by a shell, with what .env.example names filled in."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.actors import Actor
from app.bootstrap import Hub
from app.main import create_app
from app.settings import Settings, variable_name
from tests.api.client import GraphQLClient, gid
from tests.api.conftest import make_token, serving
from tests.api.operations import run
from tests.api.two_way.steps import KRANJ, new_order
from tests.connectors.metakocka.company import add_offer
from tests.factories import key
from tests.npm.programs import skip
from tests.two_way.office import Office

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / ".env.example"
COMMANDS = [block for block in re.findall(r"```sh\n(.+?)```", (ROOT / "docs" / "by-hand.md").read_text(), re.DOTALL) if "curl" in block]
EMPTY = re.compile(r"^([A-Z_]+)=$", re.MULTILINE)


async def _shell(command: str, environment: Path) -> dict[str, Any]:
    script = f"set -a; . {environment}; set +a; {command}"
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, env={"PATH": os.environ["PATH"]}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    answer: dict[str, Any] = json.loads(out)
    return answer


async def _filled_in(api: GraphQLClient, office: Office) -> dict[str, str]:
    """What is empty in .env.example."""
    given = {"name": "Nova stranka", "taxNumber": "SI99999999", "address": KRANJ}
    contact = (await run(api, "create_contact", input=given, idempotencyKey=key()))["contact"]["id"]
    partner = await office.sandbox.partner(await office.add("Acme"))
    return {
        "CONNECTION": gid("Connection", office.connection.id),
        "CONTACT": contact,
        "DOCUMENT": await new_order(api, office),
        "PARTNER_AT_METAKOCKA": partner["mk_id"],
        "OFFER_AT_METAKOCKA": (await add_offer(office.sandbox, partner))["mk_id"],
    }


@pytest.mark.requirement("MKC-50", "MKD-30", "MKD-31")
async def test_every_command_of_the_page_is_answered_with_what_it_promises(
    operator_api: GraphQLClient, hub: Hub, owner: Actor, office: Office, worker: None, tmp_path: Path
):
    if shutil.which("curl") is None:
        skip("The commands of docs/by-hand.md need curl on the PATH.")
    values = await _filled_in(operator_api, office) | {"CROSSWALK_TOKEN": await make_token(hub, owner, "operator")}
    environment = tmp_path / "env"

    async with serving(create_app(hub)) as address:
        sample = SAMPLE.read_text().replace("CROSSWALK_URL=http://127.0.0.1:8000", f"CROSSWALK_URL=http://{address}")
        environment.write_text(EMPTY.sub(lambda name: f"{name[1]}={values.pop(name[1])}", sample))
        answers = [await _shell(command, environment) for command in COMMANDS]

    assert values == {}
    assert len(COMMANDS) >= 11
    for command, answer in zip(COMMANDS, answers, strict=True):
        assert "errors" not in answer, (command, answer)
        for found in answer["data"].values():
            assert found.get("__typename", "Success").endswith(("Success", "Order", "SalesDocument")), (command, found)
    assert "CONFIRMED" in json.dumps(answers)
    assert "CREATED" in json.dumps(answers)


@pytest.mark.requirement("MKC-49", "MKD-31")
def test_the_sample_environment_holds_settings_that_the_hub_reads_and_names_that_the_commands_use():
    sample = dict(line.split("=", 1) for line in SAMPLE.read_text().splitlines() if line and not line.startswith("#"))
    settings = {variable_name(name) for name in vars(Settings())}
    read = {name: value for name, value in sample.items() if name in settings}

    parsed = Settings.from_environment(read)

    assert (parsed.port, parsed.sandboxes, parsed.sandbox_urls) == (8000, True, ("http://127.0.0.1:8110",))
    for name in sample.keys() - settings:
        assert f"${name}" in "".join(COMMANDS), name
