"""The lock files: complete, hashed, the same versions in both, and free of addresses."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.platform.conftest import ROOT

LOCKS = {"requirements.lock": ("embedded",), "requirements-dev.lock": ("embedded", "test", "check")}


def locked(name: str) -> dict[str, Version]:
    """Each package of a lock file and its version."""
    lines = (ROOT / name).read_text().splitlines()
    found = [re.fullmatch(r"([a-z0-9.-]+)==([^ ;]+)(?: ;.*)? \\", line) for line in lines if line[0] not in " #"]
    assert all(found), f"{name} holds a line that is neither a pin nor a hash"
    return {match[1]: Version(match[2]) for match in found if match}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_names_versions_and_hashes_and_no_address(name):
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert "--index" not in text
    pins = re.findall(r"^[a-z0-9].*==(?:.*\\\n)(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, flags=re.MULTILINE)
    assert len(pins) == len(locked(name))


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_file_satisfies_what_the_project_asks_for(name, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]

    versions = locked(name)
    unsatisfied = [
        text
        for requirement, text in ((Requirement(text), text) for text in wanted)
        if (version := versions.get(canonicalize_name(requirement.name))) is None or version not in requirement.specifier
    ]
    assert unsatisfied == [], "run scripts/lock"


def test_development_uses_the_versions_that_run_in_production():
    production, development = (locked(name) for name in LOCKS)

    assert {name: development.get(name) for name in production} == production
