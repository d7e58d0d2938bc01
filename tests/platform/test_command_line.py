"""The command line, run as a person runs it: `crosswalk …` in a process of its own, on servers of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {"demo", "dev", "serve", "worker", "migrate", "doctor", "sandbox", "connectors", "sign-in"}
GROUPS = {"organization", "token", "sync", "schema", "audit"}


@pytest.fixture(scope="module")
def crosswalk(tmp_path_factory):
    """Runs `crosswalk` with these arguments and the tests' own data directory."""
    folder = tmp_path_factory.mktemp("command-line")

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("CROSSWALK_")}
        environment = {**own, "CROSSWALK_DATA_DIR": str(folder / "data"), "COLUMNS": "200", **environment}
        command = [sys.executable, "-P", "-m", "app.cli", *arguments]
        return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)

    yield run
    from app import embedded

    embedded.erase(folder / "data")


@pytest.fixture(scope="module")
def acme(crosswalk):
    """An organization made at the command line; its owner's first sign-in link."""
    done = crosswalk("organization", "create", "Acme č", "--slug", "acme", "--owner-email", "olive@acme.test")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_help_lists_every_command(crosswalk):
    listed = re.findall(r"^│ ([a-z][a-z-]+) ", crosswalk("--help").stdout, flags=re.MULTILINE)

    assert set(listed) == COMMANDS | GROUPS


def test_an_organization_can_be_made_and_its_owner_gets_a_sign_in_link(acme):
    assert acme.startswith("http://127.0.0.1:8000/console/acme/sign-in/cw_")


def test_a_person_of_the_organization_gets_another_link_and_a_stranger_none(crosswalk, acme):
    link = crosswalk("sign-in", "Olive@acme.test", "--organization", "acme")
    stranger = crosswalk("sign-in", "mallory@acme.test")

    assert "/console/acme/sign-in/cw_" in link.stdout
    assert link.stdout.strip() != acme
    assert (stranger.returncode, stranger.stdout) == (1, "")
    assert stranger.stderr == "Nobody of Acme č has the address mallory@acme.test.\n"


def test_a_token_is_printed_alone_on_its_line(crosswalk, acme):
    done = crosswalk("token", "create", "--name", "Tests", "--days", "1")

    assert re.fullmatch(r"cw_[0-9a-f]{32}_\S+\n", done.stdout)


def test_an_unknown_organization_is_refused_in_a_sentence(crosswalk, acme):
    done = crosswalk("token", "create", "--organization", "nobody")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "organization" in done.stderr


def test_the_audit_log_is_verified_for_each_organization(crosswalk, acme):
    done = crosswalk("audit", "verify")

    assert done.returncode == 0
    assert done.stdout.startswith("acme: ")


def test_migrating_again_changes_nothing(crosswalk, acme):
    assert crosswalk("migrate").stdout == "The database is up to date.\n"


def test_the_connectors_are_listed_with_what_they_do(crosswalk):
    listed = crosswalk("connectors").stdout

    assert "servicem8: ServiceM8" in listed
    assert "approve_quote" in listed


def test_a_sandbox_that_does_not_exist_is_refused_with_those_that_do(crosswalk):
    done = crosswalk("sandbox", "nonesuch")

    assert done.returncode == 1
    assert "servicem8" in done.stderr


def test_what_follows_a_sandboxes_name_goes_to_the_sandbox(crosswalk):
    assert "--page-size" in crosswalk("sandbox", "servicem8", "--help").stdout


def test_the_exported_schema_is_the_committed_one(crosswalk, tmp_path):
    exported = crosswalk("schema", "export", str(tmp_path / "schema.graphql"))
    changed = tmp_path / "changed.graphql"
    changed.write_text("type Query { nothing: Int }\n")

    assert exported.returncode == 0, exported.stderr
    assert crosswalk("schema", "export", "--check", str(tmp_path / "schema.graphql")).returncode == 0
    assert crosswalk("schema", "export", "--check", str(changed)).returncode == 1


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"CROSSWALK_REDIS_URL": "redis://127.0.0.1:1"}, "Set both CROSSWALK_DATABASE_URL and CROSSWALK_REDIS_URL, or neither"),
        (
            {"CROSSWALK_DATABASE_URL": "postgresql://a:hush@127.0.0.1:1/b", "CROSSWALK_REDIS_URL": "redis://127.0.0.1:1"},
            "A server cannot be used (ConnectionRefusedError",
        ),
        ({"CROSSWALK_PORT": "eighty"}, "CROSSWALK_PORT cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(crosswalk, variables, sentence):
    done = crosswalk("migrate", **variables)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hush" not in done.stderr


def test_a_folder_that_looks_like_ours_does_not_stand_in_for_it(crosswalk, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not this one')")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "crosswalk"), "connectors"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
