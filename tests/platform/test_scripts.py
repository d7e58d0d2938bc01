"""The scripts of a checkout: they need only Python, a shell and coreutils, and say what is missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.conftest import NAMELESS_UID, ROOT, needs_root

SHELL_SCRIPTS = ("demo", "test", "check", "clients", "lock", "find_python")
SENTENCE = re.compile(r"[A-Z/][^\n]*\.\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the scripts and what they read, and no virtual environment."""
    (tmp_path / "scripts").mkdir()
    for path in (*(ROOT / "scripts").iterdir(), *(ROOT / name for name in ("pyproject.toml", "hatch_build.py"))):
        if path.is_file():
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    for path in ROOT.glob("requirements*.lock"):
        shutil.copy(path, tmp_path)
    return tmp_path


def run(checkout: Path, script: str, *, path: Path | None = None, **options: int) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path) if path else os.environ["PATH"], "HOME": str(checkout)}
    shell = shutil.which("sh") or "/bin/sh"
    command = [shell, str(checkout / "scripts" / script)]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, **options)  # type: ignore[call-overload]


def programs(folder: Path, **targets: str | Path) -> Path:
    """A folder to be the whole PATH: coreutils' dirname and the programs given."""
    folder.mkdir()
    for name, target in {"dirname": shutil.which("dirname") or "dirname", **targets}.items():
        (folder / name).symlink_to(target)
    return folder


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_a_script_is_plain_shell(script):
    done = subprocess.run(["sh", "-n", ROOT / "scripts" / script], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", ["demo", "test"])
def test_without_a_recent_python_one_sentence_says_so(checkout, tmp_path, script):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = run(checkout, script, path=programs(tmp_path / "programs", python3=old))

    assert done.returncode == 1
    assert SENTENCE.fullmatch(done.stderr)
    assert "Python 3.11 or later" in done.stderr


@pytest.mark.parametrize("script", ["demo", "test"])
def test_a_python_that_cannot_make_virtual_environments_is_told_what_to_install(checkout, tmp_path, script):
    maimed = tmp_path / "maimed-python"
    program = "import runpy, sys; sys.modules['ensurepip'] = None; del sys.argv[:2]; runpy.run_path(sys.argv[0], run_name='__main__')"
    maimed.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\nexec {sys.executable} -c "{program}" - "$@"\n')
    maimed.chmod(0o755)

    done = run(checkout, script, path=programs(tmp_path / "programs", python3=maimed))

    assert done.returncode == 1
    assert SENTENCE.fullmatch(done.stderr)
    assert "-venv" in done.stderr


@needs_root
def test_a_checkout_that_is_not_writable_is_named(checkout, tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o755)
    system_python = Path("/usr/bin/python3")
    if not system_python.exists():
        pytest.skip("This needs a Python that every user can reach.")

    options = {"user": NAMELESS_UID, "group": NAMELESS_UID, "extra_groups": []}
    done = run(checkout, "demo", path=programs(tmp_path / "programs", python3=system_python), **options)

    assert done.returncode == 1
    assert f"{checkout} is not writable" in done.stderr
    assert SENTENCE.fullmatch(done.stderr)


@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_a_fresh_checkout_with_nothing_but_python_shell_and_coreutils_installs_and_then_reuses_what_it_installed(tmp_path):
    checkout = tmp_path / "a checkout"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, tracked):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    coreutils = subprocess.run(["dpkg", "-L", "coreutils"], capture_output=True, text=True, check=True).stdout.split()
    path = tmp_path / "programs"
    path.mkdir()
    for program in (*(Path(name) for name in coreutils if "/bin/" in name), Path(shutil.which("sh") or "/bin/sh")):
        (path / program.name).symlink_to(program)
    (path / "python3").symlink_to(os.path.realpath(sys.executable))
    command = [path / "sh", checkout / "scripts" / "test", "tests/platform/test_locks.py", "-q"]

    first = subprocess.run(command, env={"PATH": str(path), "HOME": str(tmp_path)}, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert "Installing the" in first.stderr

    second = subprocess.run(command, env={"PATH": str(path), "HOME": str(tmp_path)}, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert "Installing" not in second.stderr
