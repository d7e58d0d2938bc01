"""`crosswalk doctor` explains every setting and tells the truth about what the hub leans on."""

import dataclasses
from pathlib import Path

import asyncpg
import pytest

from app import embedded
from app.commands.doctor import examine, setting_lines
from app.commands.findings import Finding, Verdict
from app.commands.servers import completed_by
from app.encryption import KEY_FILE, Vault
from app.migrations import migrate
from app.settings import Secret, Settings


async def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in examine(settings)}


@pytest.fixture
def settings(fresh_dir: Path) -> Settings:
    return Settings(data_dir=fresh_dir)


def test_every_setting_is_explained_and_no_secret_is_shown():
    lines = setting_lines(Settings(master_key=Secret("a-very-secret-key"), public_url="https://hub.test"))

    assert [variable for variable, _, _ in lines] == [f"CROSSWALK_{field.name.upper()}" for field in dataclasses.fields(Settings)]
    assert all(meaning.endswith(".") for _, _, meaning in lines)
    shown = {variable: value for variable, value, _ in lines}
    assert shown["CROSSWALK_MASTER_KEY"] == "set"
    assert shown["CROSSWALK_PUBLIC_URL"] == "https://hub.test"


async def test_on_a_fresh_machine_it_proves_that_own_servers_can_run_and_leaves_nothing_behind(settings):
    found = await findings(settings)

    assert found["Own servers"].verdict is Verdict.GOOD
    assert "made, started and stopped" in found["Own servers"].sentence
    assert not settings.data_dir.exists()


async def test_a_migrated_database_seen_as_the_application_is_good_in_every_respect(settings):
    with embedded.start(settings.data_dir) as servers:
        await migrate(servers.owner_url)
        found = await findings(settings)

    subjects = ("Own servers", "Database", "Database role", "Row-level security", "Migrations", "Clock", "Redis")
    assert {subject: found[subject].verdict for subject in subjects} == dict.fromkeys(subjects, Verdict.GOOD)


async def test_an_empty_database_a_superuser_and_a_table_without_walls_are_bad(settings):
    with embedded.start(settings.data_dir) as servers:
        named = completed_by(settings, servers)
        assert (await findings(named))["Migrations"].verdict is Verdict.BAD

        await migrate(servers.owner_url)
        owner = await asyncpg.connect(servers.owner_url)
        await owner.execute("CREATE TABLE unwalled (id int)")
        await owner.close()
        found = await findings(dataclasses.replace(named, database_url=Secret(servers.admin_url.replace("/postgres?", "/crosswalk?"))))

    assert found["Database role"].verdict is Verdict.BAD
    assert found["Row-level security"].verdict is Verdict.BAD
    assert "unwalled" in found["Row-level security"].sentence


async def test_servers_that_do_not_answer_are_bad_and_no_password_is_told(fresh_dir):
    settings = Settings(
        data_dir=fresh_dir,
        database_url=Secret("postgresql://crosswalk_app:hush@127.0.0.1:1/crosswalk"),
        redis_url=Secret("redis://:hush@127.0.0.1:1/0"),
    )

    found = await findings(settings)

    assert found["Database"].verdict is found["Redis"].verdict is Verdict.BAD
    assert not any("hush" in finding.sentence for finding in found.values())


async def test_a_master_key_that_others_can_read_is_bad_and_one_that_is_no_key_too(settings, fresh_dir):
    Vault.load_or_make(settings)
    key = fresh_dir / KEY_FILE
    assert (await findings(settings))["Master key"].verdict is Verdict.GOOD

    key.chmod(0o644)
    found = (await findings(settings))["Master key"]
    assert found.verdict is Verdict.BAD
    assert "chmod 600" in found.sentence

    key.write_text("not a key\n")
    assert (await findings(settings))["Master key"].verdict is Verdict.BAD


async def test_an_address_without_tls_deserves_attention(settings):
    found = await findings(dataclasses.replace(settings, public_url="http://hub.example"))

    assert found["Public address"].verdict is Verdict.ATTENTION
