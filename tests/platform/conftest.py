"""Data directories whose servers are gone after the test, and processes that hold servers."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import embedded
from app.embedded.programs import copied_programs

ROOT = Path(__file__).parents[2]
NAMELESS_UID = 54321  # no user of this machine


@dataclass
class Holder:
    """A process that holds servers, and what it said about them."""

    process: subprocess.Popen[str]
    said: dict[str, object]

    def end(self) -> None:
        """Let it stop its servers and wait for it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


Hold = Callable[..., Holder]


@pytest.fixture
def fresh_dir() -> Iterator[Path]:
    """A data directory that does not exist yet."""
    parent = Path(tempfile.mkdtemp(prefix="crosswalk-test-"))
    path = parent / "data"
    yield path
    embedded.erase(path)
    shutil.rmtree(parent)


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start a holder (or several, with wait=False) whose servers end with the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(data_dir: Path, *options: str) -> Holder:
        command = [sys.executable, "-m", "tests.platform.holder", str(data_dir), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stdout is not None
        return Holder(process, json.loads(process.stdout.readline()))

    yield begin
    for process in begun:
        if process.poll() is None:
            process.terminate()
        process.wait(30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def reachable_programs() -> Iterator[Path]:
    """A copy of the server binaries that every user of this machine can read, wherever the checkout is."""
    parent = Path(tempfile.mkdtemp(prefix="crosswalk-programs-"))
    parent.chmod(0o755)
    copied_programs(parent)
    yield next(parent.iterdir())
    shutil.rmtree(parent)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can run the servers as another user.")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="This looks at /proc.")
