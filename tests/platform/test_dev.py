"""`crosswalk dev`: everything in one terminal, restarted when it ends by itself, gone when it is told to end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app import embedded
from tests.platform.conftest import needs_linux


@pytest.fixture
def port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


@pytest.fixture
def dev(fresh_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "app.cli", "dev"],
        env=environment(fresh_dir, port),
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def environment(fresh_dir: Path, port: int) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CROSSWALK_")}
    return {**own, "CROSSWALK_DATA_DIR": str(fresh_dir), "CROSSWALK_PORT": str(port)}


def wait_for(look: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """The process ids of what `crosswalk dev` started, by the last word of their command lines."""
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return {Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")[-1]: int(pid) for pid in pids}


@needs_linux
def test_dev_brings_up_web_and_worker_and_ends_them_on_ctrl_c(dev, port, fresh_dir):
    wait_for(lambda: is_ready(port))
    started = children(dev)
    assert {"serve", "worker"} <= set(started)

    dev.send_signal(signal.SIGINT)
    said, _ = dev.communicate(timeout=60)

    assert dev.returncode == 0
    assert said.rstrip().endswith("Stopping") or "worker stopped" in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in started.values())
    with pytest.raises(embedded.NotRunning):
        embedded.attach(fresh_dir)


@needs_linux
def test_a_part_that_is_killed_is_started_again_servers_included(dev, port, fresh_dir):
    wait_for(lambda: is_ready(port))
    before = children(dev)

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    wait_for(lambda: not is_ready(port))
    wait_for(lambda: is_ready(port))
    wait_for(lambda: {"serve", "worker"} <= set(children(dev)))
    assert not set(children(dev).values()) & set(before.values())


def test_a_taken_port_is_told_before_anything_is_started(port, fresh_dir):
    with socket.create_server(("127.0.0.1", port)):
        command = [sys.executable, "-P", "-m", "app.cli", "dev"]
        done = subprocess.run(command, env=environment(fresh_dir, port), capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert done.stderr == f"Port {port} is taken; set CROSSWALK_PORT to another.\n"
    assert not fresh_dir.exists()
