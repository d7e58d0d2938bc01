"""One command for each level of tests: what CONTRIBUTING.md names is there, and covers what it says."""

import re
import shutil
import subprocess
import sys

import pytest

from scripts.requirements import marked_tests, rows
from tests.platform.conftest import ROOT

COMMANDS = re.findall(r"`scripts/test ([^`]+)`", (ROOT / "CONTRIBUTING.md").read_text())
FUNCTIONS = [row["id"] for row in rows() if row["graphql"]]
"""Every sync function of Metakocka's that a program asks for."""


@pytest.mark.requirement("MKD-19", "MKD-21")
def test_the_commands_that_are_named_find_tests():
    places = [place for command in COMMANDS for place in command.partition(" -k ")[0].split()]
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *places]

    found = subprocess.run(collect, cwd=ROOT, capture_output=True, text=True)

    assert found.returncode == 0, found.stdout + found.stderr
    for place in places:
        assert re.search(rf"^{place}\S*::", found.stdout, re.MULTILINE), place


@pytest.mark.requirement("MKD-19")
@pytest.mark.parametrize("id", FUNCTIONS)
def test_all_sync_functions_are_tested_by_the_one_command_for_them(id: str):
    assert "tests/api/two_way" in COMMANDS
    assert [test for test in marked_tests()[id] if test.startswith("tests/api/two_way/")]


@pytest.mark.requirement("MKD-21", "MKD-23")
@pytest.mark.parametrize("arguments", [(), ("tests/two_way/test_documents.py", "-k", "kind")])
def test_the_one_command_makes_the_environment_and_runs_all_tests_or_those_that_are_named(tmp_path, arguments: tuple[str, ...]):
    (tmp_path / "scripts").mkdir()
    for name in ("test", "find_python"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    stand_in = tmp_path / "python3"
    stand_in.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "$0" "$@"\n')
    stand_in.chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(stand_in, tmp_path / ".venv" / "bin" / "python")

    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(["sh", tmp_path / "scripts" / "test", *arguments], env={"PATH": path}, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    made, run = done.stdout.splitlines()
    assert made.endswith(f"{tmp_path}/scripts/environment.py development")
    assert run.startswith(".venv/bin/python -m pytest -m not campaign")
    assert run.endswith(" ".join(arguments))
    assert ("tests/" in run) is bool(arguments)
